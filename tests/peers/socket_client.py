"""A plain TCP client: sends argv[3], ends its side, and prints what comes back."""
import socket
import sys

with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=30) as s:
    s.sendall(sys.argv[3].encode())
    s.shutdown(socket.SHUT_WR)
    while data := s.recv(1024):
        sys.stdout.buffer.write(data)
