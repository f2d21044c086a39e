"""The event loop reads a line to its end: while one client pauses inside it, all wait."""
# exercise: upper-lines
# class: one-client-at-a-time
import selectors
import socket
import sys

sel = selectors.DefaultSelector()
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
sel.register(listener, selectors.EVENT_READ)


def upper_line(conn):
    line = b""
    while not line.endswith(b"\n"):
        byte = conn.recv(1)
        if not byte:
            return False
        line += byte
    conn.sendall(line.upper())
    return True


while True:
    for key, _ in sel.select():
        if key.fileobj is listener:
            sel.register(listener.accept()[0], selectors.EVENT_READ)
            continue
        try:
            going = upper_line(key.fileobj)
        except ConnectionError:
            going = False
        if not going:
            sel.unregister(key.fileobj)
            key.fileobj.close()
