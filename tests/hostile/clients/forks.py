"""Each run leaves two processes behind: one in its group, one in a session of its own. Both hold its connection."""
import os
import signal
import socket
import sys
import time

sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
for leaves in (False, True):
    if os.fork() == 0:
        if leaves:
            os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(600)
for line in sys.stdin:
    data = line.rstrip("\n").encode()
    sock.sendall(len(data).to_bytes(2, "big") + data)
    size = int.from_bytes(sock.recv(2), "big")
    print(sock.recv(size).decode())
