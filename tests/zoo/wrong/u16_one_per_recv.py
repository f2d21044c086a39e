"""`if` where `while` belongs: after each recv one frame is answered, the next one waits for more bytes."""
# exercise: framed-echo-u16
# class: one-message-per-recv
import selectors
import socket
import struct
import sys

sel = selectors.DefaultSelector()
buffers = {}
lsock = socket.socket()
lsock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
lsock.bind(("127.0.0.1", int(sys.argv[1])))
lsock.listen()
sel.register(lsock, selectors.EVENT_READ)

while True:
    for key, _ in sel.select():
        if key.fileobj is lsock:
            conn, addr = lsock.accept()
            buffers[conn] = b""
            sel.register(conn, selectors.EVENT_READ)
            continue
        conn = key.fileobj
        try:
            got = conn.recv(65536)
        except ConnectionError:
            got = b""
        if not got:
            sel.unregister(conn)
            del buffers[conn]
            conn.close()
            continue
        buffers[conn] += got
        buf = buffers[conn]
        if len(buf) >= 2:
            (n,) = struct.unpack_from(">H", buf)
            if len(buf) >= n + 2:
                conn.sendall(buf[: n + 2])
                buffers[conn] = buf[n + 2 :]
