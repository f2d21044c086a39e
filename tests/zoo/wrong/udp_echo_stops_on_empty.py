"""TCP's habit in UDP: an empty datagram ends the loop, and the program."""
# exercise: udp-echo
# class: empty-means-end
import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, peer = sock.recvfrom(65535)
    if not data:
        break
    sock.sendto(data, peer)
