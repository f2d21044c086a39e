"""An empty payload is taken for the end of the stream."""
# exercise: framed-echo-u16
# class: empty-means-end
import socket
import struct
import sys
import threading


def recv_exact(c, n):
    out = b""
    while len(out) < n:
        d = c.recv(n - len(out))
        if not d:
            return b""
        out += d
    return out


def loop(c):
    with c:
        while True:
            head = recv_exact(c, 2)
            if not head:
                return
            payload = recv_exact(c, struct.unpack("!H", head)[0])
            if not payload:
                return
            c.sendall(head + payload)


s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, _ = s.accept()
    threading.Thread(target=loop, args=(c,), daemon=True).start()
