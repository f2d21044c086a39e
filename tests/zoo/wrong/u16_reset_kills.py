"""A client that ends inside a frame is a struct.error that nobody catches."""
# exercise: framed-echo-u16
# class: dies-on-bad-input
import select
import socket
import struct
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
poller = select.poll()
poller.register(listener, select.POLLIN)
conns, bufs = {}, {}

while True:
    for fd, event in poller.poll():
        if fd == listener.fileno():
            c, _ = listener.accept()
            conns[c.fileno()], bufs[c.fileno()] = c, b""
            poller.register(c, select.POLLIN)
            continue
        c = conns[fd]
        data = c.recv(65536)
        if not data:
            if bufs[fd]:
                raise ValueError(f"unexpected end: {bufs[fd][:10]!r} is not a frame")
            poller.unregister(c)
            del conns[fd], bufs[fd]
            c.close()
            continue
        bufs[fd] += data
        while len(bufs[fd]) >= 2:
            n = struct.unpack("!H", bufs[fd][:2])[0]
            if len(bufs[fd]) < 2 + n:
                break
            c.sendall(bufs[fd][:2 + n])
            bufs[fd] = bufs[fd][2 + n:]
