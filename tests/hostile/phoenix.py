"""Serves rightly, beside a process that starts its successor and dies, again and again, for 60 seconds."""
import os
import time
from common import each_client, echo, listener

sock = listener()
if os.fork() == 0:
    end = time.time() + 60
    while time.time() < end:
        if os.fork():
            os._exit(0)
        os.setsid()
    os._exit(0)
each_client(echo, sock)
