"""A selector; the answers of one turn go out together."""
# exercise: framed-echo-u16
import selectors
import socket
import struct
import sys

sel = selectors.DefaultSelector()
state = {}


def on_accept(listener):
    conn, _ = listener.accept()
    conn.setblocking(False)
    state[conn] = [b"", b"", False]
    sel.register(conn, selectors.EVENT_READ)


def on_event(conn, mask):
    inbox, outbox, ended = state[conn]
    try:
        if mask & selectors.EVENT_READ:
            data = conn.recv(1024)
            ended = data == b""
            inbox += data
        while len(inbox) >= 2:
            end = 2 + struct.unpack(">H", inbox[:2])[0]
            if len(inbox) < end:
                break
            outbox += inbox[:end]
            inbox = inbox[end:]
        if outbox and mask & selectors.EVENT_WRITE:
            outbox = outbox[conn.send(outbox):]
    except ConnectionError:
        ended, outbox = True, b""
    state[conn] = [inbox, outbox, ended]
    if ended and not outbox:
        sel.unregister(conn)
        del state[conn]
        conn.close()
    else:
        sel.modify(conn, (0 if ended else selectors.EVENT_READ) | (selectors.EVENT_WRITE if outbox else 0))


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
sel.register(listener, selectors.EVENT_READ)
while True:
    for key, mask in sel.select():
        if key.fileobj is listener:
            on_accept(listener)
        else:
            on_event(key.fileobj, mask)
