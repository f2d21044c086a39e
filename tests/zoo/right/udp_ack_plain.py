"""The course's UDP server."""
# exercise: udp-ack
import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    data, addr = sock.recvfrom(1024)
    print(f"from {addr}: {data.decode(errors='replace')}".encode("ascii", "replace"))
    sock.sendto("Message received".encode(), addr)
