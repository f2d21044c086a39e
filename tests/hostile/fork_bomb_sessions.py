"""Forks into other sessions, where no group reaches the children; it stops by itself after 400."""
import os
import time
from common import listener

sock = listener()
for _ in range(400):
    try:
        if os.fork() == 0:
            os.setsid()
            time.sleep(1000)
    except OSError:
        time.sleep(0.01)
time.sleep(1000)
