"""Connects a thousand times, and keeps all of it."""
import socket
import sys
import time

kept = []
for _ in range(1000):
    try:
        kept.append(socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=0.05))
    except OSError:
        pass
time.sleep(600)
