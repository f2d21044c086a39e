"""bind gets a string for the port."""
# exercise: tcp-echo
# class: none
import socket
import sys

server = socket.socket()
server.bind(("127.0.0.1", sys.argv[1]))
server.listen()
