"""Thinks for a fifth of a second before the first answer to each client, and for a moment before others."""
# exercise: tcp-echo
import socket
import sys
import time

with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as s:
    while True:
        c, _ = s.accept()
        first = True
        with c:
            try:
                while data := c.recv(65536):
                    time.sleep(0.2 if first else 0.01)
                    first = False
                    c.sendall(data)
            except OSError:
                continue
