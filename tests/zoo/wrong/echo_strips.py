"""Strips what it echoes, so white space at the ends is lost."""
# exercise: tcp-echo
# class: none
import socket
import sys

with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as s:
    while True:
        c, _ = s.accept()
        with c:
            try:
                while data := c.recv(1024):
                    c.sendall(data.strip())
            except ConnectionError:
                pass
