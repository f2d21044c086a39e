"""Ignores every signal that can be ignored."""
import signal
import time
from common import listener

for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
sock = listener()
while True:
    time.sleep(1000)
