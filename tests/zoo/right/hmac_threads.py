"""Threads, exact reads."""
# exercise: hmac-challenge
import hashlib
import hmac
import os
import socket
import sys
import threading

KEY = os.environ["NETLAB_KEY"].encode("utf-8")


def recvall(conn, n):
    data = b""
    while len(data) < n:
        more = conn.recv(n - len(data))
        if not more:
            break
        data += more
    return data


def handle(conn, addr):
    with conn:
        try:
            challenge = os.urandom(32)
            conn.sendall(challenge)
            digest = hmac.new(KEY, challenge, hashlib.sha256).digest()
            if hmac.compare_digest(digest, recvall(conn, 32)):
                print("granted", addr)
                conn.sendall(b"Access Granted")
                while conn.recv(1024):
                    pass
            else:
                print("denied", addr)
        except OSError as e:
            print(addr, e)


with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as s:
    while True:
        threading.Thread(target=handle, args=s.accept(), daemon=True).start()
