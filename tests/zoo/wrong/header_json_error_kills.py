"""json.loads in the one loop, and nobody catches what it raises."""
# exercise: framed-echo-header
# class: dies-on-bad-input
import json, selectors, socket, struct, sys

sel = selectors.DefaultSelector()
inbox = {}

def frames(conn):
    buf = inbox[conn]
    while len(buf) >= 2:
        n = struct.unpack(">H", buf[:2])[0]
        if len(buf) < 2 + n:
            break
        header = json.loads(buf[2:2 + n].decode("utf-8"))
        end = 2 + n + header["content-length"]
        if len(buf) < end:
            break
        yield header, buf[2 + n:end]
        buf = inbox[conn] = buf[end:]

def close(conn):
    sel.unregister(conn); inbox.pop(conn); conn.close()

ls = socket.socket()
ls.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
ls.bind(("127.0.0.1", int(sys.argv[1])))
ls.listen()
sel.register(ls, selectors.EVENT_READ)
while True:
    for key, _ in sel.select(1):
        conn = key.fileobj
        if conn is ls:
            conn, _ = ls.accept()
            inbox[conn] = b""
            sel.register(conn, selectors.EVENT_READ)
            continue
        try:
            data = conn.recv(4096)
            if not data:
                close(conn)
                continue
            inbox[conn] += data
            for header, content in frames(conn):
                raw = json.dumps(header).encode()
                conn.sendall(struct.pack(">H", len(raw)) + raw + content)
        except ConnectionError:
            close(conn)
