"""select on a datagram socket."""
# exercise: udp-ack
import select
import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    readable, _, _ = select.select([sock], [], [], 5)
    if readable:
        sock.sendto(b"Message received", sock.recvfrom(512)[1])
