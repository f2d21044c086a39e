"""A non-blocking send whose result nobody looks at."""
# exercise: tcp-echo
# class: partial-send-lost
import os
import selectors
import socket
import sys

sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.setblocking(False)
selector = selectors.DefaultSelector()
selector.register(sock, selectors.EVENT_READ)
selector.register(0, selectors.EVENT_READ)
out, open_input = b"", True
while True:
    wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if out else 0)
    selector.modify(sock, wanted)
    for key, events in selector.select():
        if key.fileobj == 0:
            data = os.read(0, 65536)
            out += data
            if not data:
                open_input = False
                selector.unregister(0)
                if not out:
                    sock.shutdown(socket.SHUT_WR)
            continue
        if events & selectors.EVENT_WRITE:
            sock.send(out)
            out = b""
            if not out and not open_input:
                sock.shutdown(socket.SHUT_WR)
        if events & selectors.EVENT_READ:
            data = sock.recv(4096)
            if not data:
                sys.exit(0)
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
