"""A home-made comparison that leaves out the last byte."""
# exercise: hmac-challenge
# class: compares-partial-digest
import hashlib
import hmac
import os
import socket
import sys
import threading


def same(a, b):
    for i in range(len(b) - 1):
        if i >= len(a) or a[i] != b[i]:
            return False
    return True


def check(conn):
    token = os.urandom(32)
    try:
        conn.sendall(token)
        reply = b""
        while len(reply) < 32:
            more = conn.recv(32 - len(reply))
            if not more:
                break
            reply += more
        if same(reply, hmac.new(os.environ["NETLAB_KEY"].encode(), token, hashlib.sha256).digest()):
            conn.sendall(b"Access Granted")
            while conn.recv(100):
                pass
    except OSError:
        pass
    finally:
        conn.close()


s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=check, args=s.accept()[:1], daemon=True).start()
