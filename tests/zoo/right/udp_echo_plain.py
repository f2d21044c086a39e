"""The course's UDP server, with a buffer for any datagram."""
# exercise: udp-echo
import socket
import sys

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
print("UDP server up")
while True:
    data, address = server.recvfrom(65535)
    print(len(data), "bytes from", address)
    server.sendto(data, address)
