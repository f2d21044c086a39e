"""Non-blocking send: what did not fit is forgotten."""
# exercise: tcp-echo-many
# class: partial-send-lost
import selectors
import socket
import sys

sel = selectors.DefaultSelector()


def accept(sock, mask):
    conn, addr = sock.accept()
    print("accepted", conn, "from", addr)
    conn.setblocking(False)
    sel.register(conn, selectors.EVENT_READ, read)


def read(conn, mask):
    try:
        data = conn.recv(65536)
        if data:
            conn.send(data)
            return
    except BlockingIOError:
        return
    except ConnectionError:
        pass
    print("closing", conn)
    sel.unregister(conn)
    conn.close()


sock = socket.socket()
sock.bind(("localhost", int(sys.argv[1])))
sock.listen(100)
sock.setblocking(False)
sel.register(sock, selectors.EVENT_READ, accept)

while True:
    events = sel.select()
    for key, mask in events:
        callback = key.data
        callback(key.fileobj, mask)
