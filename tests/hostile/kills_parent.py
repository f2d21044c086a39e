"""Tries to kill whoever started it."""
import os
import signal
import sys
from common import each_client

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
    try:
        os.kill(os.getppid(), number)
        print("KILLED", file=sys.stderr)
    except OSError as error:
        print("refused:", error, file=sys.stderr)
each_client(lambda conn: None)
