"""Answers one datagram and ends."""
# exercise: udp-ack
# class: exits-after-one-client
import socket
import sys

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[1])))
first = None
while True:
    data, addr = s.recvfrom(2048)
    if first not in (None, addr):
        break
    first = addr
    s.sendto(b"Message received", addr)
s.close()
