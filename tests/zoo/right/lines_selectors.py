"""A selector, an in-buffer and an out-buffer for each client; answers are bundled."""
# exercise: upper-lines
import selectors
import socket
import sys

sel = selectors.DefaultSelector()


class Client:
    def __init__(self, sock):
        self.sock, self.inb, self.outb, self.eof = sock, b"", b"", False

    def event(self, mask):
        try:
            if mask & selectors.EVENT_READ:
                data = self.sock.recv(4096)
                self.eof = not data
                complete, newline, self.inb = (self.inb + data).rpartition(b"\n")
                self.outb += (complete + newline).upper()
            if mask & selectors.EVENT_WRITE:
                self.outb = self.outb[self.sock.send(self.outb):]
        except ConnectionError:
            self.eof, self.outb = True, b""
        if self.eof and not self.outb:
            sel.unregister(self.sock)
            self.sock.close()
        else:
            reading = 0 if self.eof else selectors.EVENT_READ
            sel.modify(self.sock, reading | (selectors.EVENT_WRITE if self.outb else 0), self)


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
sel.register(listener, selectors.EVENT_READ)
while True:
    for key, mask in sel.select():
        if key.data:
            key.data.event(mask)
        else:
            conn, _ = listener.accept()
            conn.setblocking(False)
            sel.register(conn, selectors.EVENT_READ, Client(conn))
