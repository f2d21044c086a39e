"""Forks as fast as it can; it stops by itself after 5,000."""
import os
import time
from common import listener

sock = listener()
for _ in range(5_000):
    try:
        if os.fork() == 0:
            time.sleep(1000)
    except OSError:
        time.sleep(0.01)
time.sleep(1000)
