"""recv(1), and one byte for each send."""
# exercise: upper-lines
import socket, sys, threading

def serve(c):
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        line = b""
        while b := c.recv(1):
            line += b
            if b == b"\n":
                for x in line.upper():
                    c.send(bytes([x]))
                line = b""
    except OSError:
        pass
    c.close()

s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
