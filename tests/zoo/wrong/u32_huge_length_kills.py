"""A length that is too large is an exception, and nobody catches it: one loop for all ends."""
# exercise: framed-echo-u32
# class: dies-on-bad-input
import select
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
buffers = {}

while True:
    for conn in select.select([listener, *buffers], [], [])[0]:
        if conn is listener:
            buffers[listener.accept()[0]] = b""
            continue
        try:
            data = conn.recv(65536)
        except OSError:
            data = b""
        if not data:
            del buffers[conn]
            conn.close()
            continue
        buffers[conn] += data
        while len(buffers[conn]) >= 4:
            size = int.from_bytes(buffers[conn][:4], "big")
            if size > 100_000_000:
                raise ValueError(f"illegal length {size}")
            if len(buffers[conn]) < 4 + size:
                break
            try:
                conn.sendall(buffers[conn][: 4 + size])
            except OSError:
                pass
            buffers[conn] = buffers[conn][4 + size :]
