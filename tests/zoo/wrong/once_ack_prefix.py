"""Answers with `ACK: ` before the data, which another exercise asks for."""
# exercise: tcp-echo-once
# class: none
import socket
import sys

s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(5)
conn, addr = s.accept()
data = conn.recv(1024)
while data:
    conn.sendall(b"ACK: " + data)
    data = conn.recv(1024)
conn.close()
s.close()
