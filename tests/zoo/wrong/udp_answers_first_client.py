"""Answers go to the client that came first, for ever."""
# exercise: udp-echo
# class: answers-wrong-peer
import socket
import sys

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[1])))
partner = None
while True:
    data, sender = s.recvfrom(8192)
    if partner is None:
        partner = sender
    s.sendto(data, partner)
