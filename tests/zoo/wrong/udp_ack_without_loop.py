"""There is no loop: one datagram is answered, then the program ends."""
# exercise: udp-ack
# class: exits-after-one-client
import socket
import sys

sock = socket.socket(type=socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", int(sys.argv[1])))
data, address = sock.recvfrom(8192)
print("got", data)
sock.sendto(b"Message received", address)
sock.close()
