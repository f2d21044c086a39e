"""struct.pack("I", n): forgot the exclamation mark."""
# exercise: framed-echo-u32
# class: little-endian-length
import selectors
import socket
import struct
import sys
import types

selector = selectors.DefaultSelector()


def accept(sock):
    conn, _ = sock.accept()
    conn.setblocking(False)
    selector.register(conn, selectors.EVENT_READ, types.SimpleNamespace(inb=b"", outb=b"", eof=False))


def service(key, mask):
    conn, state = key.fileobj, key.data
    if mask & selectors.EVENT_READ:
        try:
            data = conn.recv(4096)
        except ConnectionError:
            selector.unregister(conn)
            conn.close()
            return
        state.inb += data
        state.eof |= not data
        while len(state.inb) >= 4:
            size = struct.unpack("I", state.inb[:4])[0]
            if len(state.inb) < 4 + size:
                break
            state.outb += struct.pack("I", size) + state.inb[4 : 4 + size]
            state.inb = state.inb[4 + size :]
    if mask & selectors.EVENT_WRITE and state.outb:
        try:
            state.outb = state.outb[conn.send(state.outb) :]
        except ConnectionError:
            state.outb, state.eof = b"", True
    if state.eof and not state.outb:
        selector.unregister(conn)
        conn.close()
        return
    want = 0 if state.eof else selectors.EVENT_READ
    selector.modify(conn, want | (selectors.EVENT_WRITE if state.outb else 0), state)


listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
listening.setblocking(False)
selector.register(listening, selectors.EVENT_READ)
while True:
    for key, mask in selector.select():
        if key.data is None:
            accept(key.fileobj)
        else:
            service(key, mask)
