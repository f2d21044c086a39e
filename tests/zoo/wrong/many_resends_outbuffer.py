"""Real defect of a course program: a partly sent buffer is sent again from its start."""
# exercise: tcp-echo-many
# class: resends-from-start
import selectors
import socket
import sys
import types

sel = selectors.DefaultSelector()


def accept_wrapper(sock):
    conn, addr = sock.accept()
    print(f"Accepted connection from {addr}")
    conn.setblocking(False)
    data = types.SimpleNamespace(addr=addr, inb=b"", outb=b"", eof=False)
    sel.register(conn, selectors.EVENT_READ, data=data)


def service_connection(key, mask):
    sock = key.fileobj
    data = key.data
    try:
        if mask & selectors.EVENT_READ:
            recv_data = sock.recv(1024)
            if recv_data:
                data.outb += recv_data
            else:
                data.eof = True
        if mask & selectors.EVENT_WRITE and data.outb:
            sent = sock.send(data.outb)
            if sent == len(data.outb):
                data.outb = b""
    except ConnectionError:
        data.eof, data.outb = True, b""
    if data.eof and not data.outb:
        print(f"Closing connection to {data.addr}")
        sel.unregister(sock)
        sock.close()
        return
    events = 0 if data.eof else selectors.EVENT_READ
    if data.outb:
        events |= selectors.EVENT_WRITE
    sel.modify(sock, events, data)


lsock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
lsock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
lsock.bind(("127.0.0.1", int(sys.argv[1])))
lsock.listen()
print("Listening on", lsock.getsockname())
lsock.setblocking(False)
sel.register(lsock, selectors.EVENT_READ, data=None)

while True:
    for key, mask in sel.select(timeout=None):
        if key.data is None:
            accept_wrapper(key.fileobj)
        else:
            service_connection(key, mask)
