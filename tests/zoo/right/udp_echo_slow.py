"""One datagram after the other, each a fifth of a second late."""
# exercise: udp-echo
import socket
import sys
import time

sock = socket.socket(type=socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, address = sock.recvfrom(9999)
    time.sleep(0.2)
    sock.sendto(data, address)
