"""A selector; a wrong answer gets `Access Denied` before the close."""
# exercise: hmac-challenge
import hashlib
import hmac
import os
import selectors
import socket
import sys

sel = selectors.DefaultSelector()
key = os.environ["NETLAB_KEY"].encode()
pending = {}


def close(conn):
    sel.unregister(conn)
    pending.pop(conn, None)
    conn.close()


s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
sel.register(s, selectors.EVENT_READ)
while True:
    for ready, _ in sel.select():
        conn = ready.fileobj
        try:
            if conn is s:
                conn, _ = s.accept()
                pending[conn] = [os.urandom(32), b""]
                sel.register(conn, selectors.EVENT_READ)
                conn.sendall(pending[conn][0])
                continue
            data = conn.recv(32)
            if not data:
                close(conn)
            elif conn in pending:
                pending[conn][1] += data
                challenge, answer = pending[conn]
                if len(answer) >= 32:
                    right = hmac.new(key, challenge, hashlib.sha256).digest()
                    if hmac.compare_digest(right, answer):
                        conn.sendall(b"Access Granted")
                        del pending[conn]
                    else:
                        conn.sendall(b"Access Denied")
                        close(conn)
        except ConnectionError:
            close(conn)
