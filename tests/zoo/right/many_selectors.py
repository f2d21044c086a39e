"""The guide's multi-connection server, with interest in writing only while there is something to write."""
# exercise: tcp-echo-many
# args: {host} {port}
import selectors
import socket
import sys
import types

sel = selectors.DefaultSelector()


def accept_wrapper(sock):
    conn, addr = sock.accept()
    conn.setblocking(False)
    sel.register(conn, selectors.EVENT_READ, types.SimpleNamespace(addr=addr, outb=b"", eof=False))


def service_connection(key, mask):
    sock, data = key.fileobj, key.data
    try:
        if mask & selectors.EVENT_READ:
            got = sock.recv(1024)
            data.outb += got
            data.eof = not got
        if mask & selectors.EVENT_WRITE:
            data.outb = data.outb[sock.send(data.outb):]
    except ConnectionError:
        data.eof, data.outb = True, b""
    wanted = (0 if data.eof else selectors.EVENT_READ) | (selectors.EVENT_WRITE if data.outb else 0)
    if wanted:
        sel.modify(sock, wanted, data)
    else:
        sel.unregister(sock)
        sock.close()


host, port = sys.argv[1], int(sys.argv[2])
lsock = socket.socket()
lsock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
lsock.bind((host, port))
lsock.listen()
lsock.setblocking(False)
sel.register(lsock, selectors.EVENT_READ)
while True:
    for key, mask in sel.select():
        if key.data is None:
            accept_wrapper(key.fileobj)
        else:
            service_connection(key, mask)
