"""When a client ends its side the connection is closed at once, with answers still in the buffer."""
# exercise: tcp-echo-many
# class: ignores-half-close
import selectors
import socket
import sys

sel = selectors.DefaultSelector()
out = {}
srv = socket.create_server(("127.0.0.1", int(sys.argv[1])))
srv.setblocking(False)
sel.register(srv, selectors.EVENT_READ)


def drop(c):
    sel.unregister(c)
    out.pop(c)
    c.close()


while True:
    for key, mask in sel.select():
        c = key.fileobj
        if c is srv:
            c, _ = srv.accept()
            c.setblocking(False)
            out[c] = b""
            sel.register(c, selectors.EVENT_READ)
            continue
        try:
            if mask & selectors.EVENT_READ:
                data = c.recv(4096)
                if not data:
                    drop(c)
                    continue
                out[c] += data
            if out[c]:
                out[c] = out[c][c.send(out[c]):]
        except BlockingIOError:
            pass
        except ConnectionError:
            drop(c)
            continue
        sel.modify(c, selectors.EVENT_READ | (selectors.EVENT_WRITE if out[c] else 0))
