"""Real defect of a course program: an uncaught decode error in the one loop ends the server for everybody."""
# exercise: upper-lines
# class: dies-on-bad-input
import selectors
import socket
import sys

sel = selectors.DefaultSelector()
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
server.setblocking(False)
sel.register(server, selectors.EVENT_READ)
rest = {}


def ascii_upper(line):
    text = line.decode("utf-8")
    return text.encode("utf-8").upper()


def gone(conn):
    sel.unregister(conn)
    rest.pop(conn)
    conn.close()


while True:
    for key, _ in sel.select():
        if key.fileobj is server:
            conn, _ = server.accept()
            rest[conn] = b""
            sel.register(conn, selectors.EVENT_READ)
            continue
        conn = key.fileobj
        try:
            data = conn.recv(4096)
        except ConnectionError:
            data = b""
        if not data:
            gone(conn)
            continue
        rest[conn] += data
        *lines, rest[conn] = rest[conn].split(b"\n")
        for line in lines:
            conn.sendall(ascii_upper(line) + b"\n")
