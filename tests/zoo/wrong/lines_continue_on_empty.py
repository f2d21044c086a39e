"""`if not data: continue`: never ends, and spins while the client has ended its side."""
# exercise: upper-lines
# class: ignores-half-close
import socket, sys, threading

def job(c):
    rest = b""
    while True:
        try:
            data = c.recv(1024)
            if not data:
                continue
            rest += data
            *lines, rest = rest.split(b"\n")
            for line in lines:
                c.sendall(line.upper() + b"\n")
        except OSError:
            break

s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(5)
while True:
    c, a = s.accept()
    threading.Thread(target=job, args=(c,), daemon=True).start()
