"""A client that resets its connection is a ConnectionResetError that ends the loop for all."""
# exercise: tcp-echo-many
# class: dies-on-bad-input
import selectors
import socket
import sys

selector = selectors.DefaultSelector()
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
selector.register(listener, selectors.EVENT_READ)

while True:
    for key, _ in selector.select():
        if key.fileobj is listener:
            conn, _ = listener.accept()
            selector.register(conn, selectors.EVENT_READ)
            continue
        conn = key.fileobj
        data = conn.recv(4096)
        if data:
            conn.sendall(data)
        else:
            selector.unregister(conn)
            conn.close()
