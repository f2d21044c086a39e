"""One recv(1024), one answer, and the program ends: whatever more the client says is lost."""
# exercise: tcp-echo-once
# class: one-recv-one-message
import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(1)
c, a = s.accept()
c.sendall(c.recv(1024))
c.close()
