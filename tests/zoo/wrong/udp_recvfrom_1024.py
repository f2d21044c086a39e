"""recvfrom(1024) throws away the rest of a larger datagram."""
# exercise: udp-echo
# class: truncates-long-message
import socket
import sys

serverSocket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
serverSocket.bind(("", int(sys.argv[1])))
print("The server is ready to receive")
while True:
    message, clientAddress = serverSocket.recvfrom(1024)
    serverSocket.sendto(message, clientAddress)
