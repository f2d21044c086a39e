"""A selector over blocking sockets that are only read when ready; a limit of 1 MiB for a frame."""
# exercise: framed-echo-u32
import selectors
import socket
import struct
import sys

LIMIT = 1 << 20
sel = selectors.DefaultSelector()


class Conn:
    def __init__(self, sock):
        self.sock = sock
        self.inb = bytearray()
        self.outb = bytearray()
        self.closing = False

    def frames(self):
        while len(self.inb) >= 4:
            (n,) = struct.unpack_from("!I", self.inb)
            if n > LIMIT:
                self.closing = True
                return
            if len(self.inb) < 4 + n:
                return
            self.outb += self.inb[:4 + n]
            del self.inb[:4 + n]

    def ready(self, mask):
        if mask & selectors.EVENT_READ and not self.closing:
            data = self.sock.recv(65536)
            if data:
                self.inb += data
                self.frames()
            else:
                self.closing = True
        if self.outb:
            try:
                del self.outb[:self.sock.send(self.outb)]
            except BlockingIOError:
                pass
        if self.closing and not self.outb:
            raise ConnectionError("done")
        events = 0 if self.closing else selectors.EVENT_READ
        sel.modify(self.sock, events | (selectors.EVENT_WRITE if self.outb else 0), self)


srv = socket.create_server(("127.0.0.1", int(sys.argv[1])))
sel.register(srv, selectors.EVENT_READ, None)
while True:
    for key, mask in sel.select():
        if key.data is None:
            c, _ = srv.accept()
            c.setblocking(False)
            sel.register(c, selectors.EVENT_READ, Conn(c))
            continue
        try:
            key.data.ready(mask)
        except ConnectionError:
            sel.unregister(key.fileobj)
            key.fileobj.close()
