"""Spins on its processors in several processes, and answers wrongly."""
import os
from common import each_client, listener

sock = listener()
for _ in range(3):
    if os.fork() == 0:
        while True:
            pass

def serve(conn):
    while conn.recv(4096):
        conn.sendall(b"?")

each_client(serve, sock)
