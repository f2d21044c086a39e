"""One client, a selector, non-blocking sockets."""
# exercise: tcp-echo-once
import selectors
import socket
import sys

sel = selectors.DefaultSelector()
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
conn, _ = listener.accept()
conn.setblocking(False)
sel.register(conn, selectors.EVENT_READ)
out, open_ = b"", True
while open_ or out:
    for _, mask in sel.select():
        if mask & selectors.EVENT_READ:
            data = conn.recv(2048)
            out += data
            open_ = bool(data)
        if mask & selectors.EVENT_WRITE:
            out = out[conn.send(out):]
    wanted = (selectors.EVENT_READ if open_ else 0) | (selectors.EVENT_WRITE if out else 0)
    if wanted:
        sel.modify(conn, wanted)
conn.close()
print("done")
