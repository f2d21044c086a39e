"""select with a time-out of zero in an endless loop."""
# exercise: framed-echo-u16
# class: idle-spin
import select, socket, struct, sys

srv = socket.socket()
srv.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
srv.bind(("127.0.0.1", int(sys.argv[1])))
srv.listen(10)
clients = {}
while True:
    r, w, x = select.select([srv, *clients], [], [], 0)
    for s in r:
        if s is srv:
            c, a = srv.accept()
            clients[c] = bytearray()
            continue
        try:
            d = s.recv(2048)
        except OSError:
            d = b""
        if not d:
            clients.pop(s)
            s.close()
            continue
        buf = clients[s]
        buf += d
        while len(buf) > 1 and len(buf) - 2 >= struct.unpack(">H", buf[:2])[0]:
            n = struct.unpack(">H", buf[:2])[0]
            s.sendall(buf[:n + 2])
            del buf[:n + 2]
