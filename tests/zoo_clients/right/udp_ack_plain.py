"""A connected socket: a line, its answer."""
# exercise: udp-ack
import socket
import sys

sock = socket.socket(type=socket.SOCK_DGRAM)
sock.connect(("127.0.0.1", int(sys.argv[1])))
for line in sys.stdin:
    sock.send(line.rstrip("\n").encode())
    print(sock.recv(65536).decode())
