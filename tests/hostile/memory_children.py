"""Sixteen children take 512 MiB each, and half of them leave for other sessions."""
import os
import time
from common import each_client, echo, listener

sock = listener()
for number in range(16):
    if os.fork() == 0:
        if number % 2:
            os.setsid()
        held = bytearray(512 << 20)
        for at in range(0, len(held), 4096):
            held[at] = 1
        time.sleep(1000)
each_client(echo, sock)
