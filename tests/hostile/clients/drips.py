"""A byte now and then, for ever: just before the patience is over."""
import socket
import sys
import time

sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(b"\xff\xff")
while True:
    time.sleep(0.5)
    sock.sendall(b"x")
