"""As lean as an echo server in Python gets: one selector, non-blocking sockets, no bookkeeping.

usage: lean_echo.py PORT
Simplification: a peer that does not read loses bytes; a real server keeps what `send` did not take.
"""

import selectors
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        connection = key.fileobj
        if connection is listener:
            connection, _ = listener.accept()
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ)
            continue
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        if data:
            connection.send(data)
        else:
            selector.unregister(connection)
            connection.close()
