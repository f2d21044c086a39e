"""A non-blocking socket, asked again and again without a pause."""
# exercise: udp-ack
# class: idle-spin
import os
import socket

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setblocking(False)
s.bind(("127.0.0.1", int(os.environ["NETLAB_PORT"])))
while True:
    try:
        _, who = s.recvfrom(65536)
    except BlockingIOError:
        continue
    s.sendto(b"Message received", who)
