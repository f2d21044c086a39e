"""Binds all addresses of both families; huge recv; a tick every half second prints a count."""
# exercise: tcp-echo-many
import selectors
import socket
import sys
import time

sel = selectors.PollSelector()
server = socket.create_server(("", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
server.setblocking(False)
sel.register(server, selectors.EVENT_READ, None)
total, told = 0, time.monotonic()
while True:
    for key, mask in sel.select(timeout=0.5):
        if key.data is None:
            conn, _ = server.accept()
            conn.setblocking(False)
            sel.register(conn, selectors.EVENT_READ, bytearray())
            continue
        conn, out = key.fileobj, key.data
        try:
            if mask & selectors.EVENT_READ:
                data = conn.recv(1 << 20)
                total += len(data)
                out += data
                if not data:
                    conn.setblocking(True)
                    conn.sendall(out)
                    raise ConnectionError("end")
            if out:
                try:
                    del out[:conn.send(out)]
                except BlockingIOError:
                    pass
            sel.modify(conn, selectors.EVENT_READ | (selectors.EVENT_WRITE if out else 0), out)
        except ConnectionError:
            sel.unregister(conn)
            conn.close()
    if time.monotonic() - told > 0.5:
        print("so far", total, flush=True)
        told = time.monotonic()
