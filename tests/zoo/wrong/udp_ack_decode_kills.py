"""Prints each datagram as text, and dies of the first one that is none."""
# exercise: udp-ack
# class: dies-on-bad-input
import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, addr = sock.recvfrom(65535)
    print(f"{addr}: {data.decode('utf-8')}".encode("ascii", "replace"))
    sock.sendto(b"Message received", addr)
