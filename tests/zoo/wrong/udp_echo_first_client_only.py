"""connect() on the server's UDP socket: only the first client is ever heard."""
# exercise: udp-echo
# class: none
import socket
import sys

s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[1])))
data, peer = s.recvfrom(8192)
s.connect(peer)
s.send(data)
while True:
    try:
        s.send(s.recv(8192))
    except ConnectionRefusedError:
        pass
