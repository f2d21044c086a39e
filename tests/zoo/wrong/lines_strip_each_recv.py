"""The course's threaded server: what one recv returns is stripped, upper-cased and sent back as a line."""
# exercise: upper-lines
# class: one-recv-one-message
import socket, sys, threading

def to_upper(data):
    return b"\n".join(line.rstrip(b"\r\n").upper() for line in data.split(b"\n")[: max(1, data.count(b"\n"))]) + b"\n"

def client_thread(c):
    while 1:
        d = c.recv(65536)
        if d == b"":
            c.close()
            return
        c.sendall(to_upper(d))

s = socket.socket()
s.bind(("localhost", int(sys.argv[1])))
s.listen()
while 1:
    c, a = s.accept()
    threading.Thread(target=client_thread, args=(c,)).start()
