"""The program itself ends; children in other sessions keep the port and serve on."""
import os
import time
from common import each_client, echo, listener

sock = listener()
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            each_client(echo, sock)
        os._exit(0)
time.sleep(2)
os._exit(0)
