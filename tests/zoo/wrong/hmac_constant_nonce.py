"""The challenge is made once, when the program starts: an answer overheard can be used again."""
# exercise: hmac-challenge
# class: repeats-challenge
import hmac
import os
import socket
import sys
import threading

CHALLENGE = os.urandom(32)
EXPECTED = hmac.digest(os.environ["NETLAB_KEY"].encode(), CHALLENGE, "sha256")


def handle(c):
    with c:
        c.sendall(CHALLENGE)
        stream = c.makefile("rb")
        try:
            if hmac.compare_digest(stream.read(32), EXPECTED):
                c.sendall(b"Access Granted")
                stream.read()
        except OSError:
            pass


s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", int(sys.argv[1])))
s.listen()
while True:
    c, _ = s.accept()
    threading.Thread(target=handle, args=(c,), daemon=True).start()
