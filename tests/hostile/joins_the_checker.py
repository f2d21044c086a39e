"""A grandchild moves into the process group of whoever started it, and keeps the port."""
import os
import time
from common import each_client, echo, listener

sock = listener()
group = os.getpgid(os.getppid())
if os.fork() == 0:
    if os.fork() == 0:
        try:
            os.setpgid(0, group)
        except OSError:
            pass
        each_client(echo, sock)
    os._exit(0)
time.sleep(1000)
