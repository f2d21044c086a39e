"""Answers each datagram with thousands, from several sockets, of all sizes."""
import socket
from common import PORT

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", PORT))
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    data, peer = sock.recvfrom(65_535)
    for number in range(5_000):
        for out in (sock, other):
            try:
                out.sendto(b"\x1b[2J" * (number % 1_000), peer)
            except OSError:
                pass
