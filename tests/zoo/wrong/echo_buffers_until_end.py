"""Reads to the end of the stream before it answers."""
# exercise: tcp-echo
# class: none
import socket
import sys

with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as s:
    while True:
        c, _ = s.accept()
        with c:
            everything = b""
            try:
                while part := c.recv(4096):
                    everything += part
                c.sendall(everything)
            except OSError:
                pass
