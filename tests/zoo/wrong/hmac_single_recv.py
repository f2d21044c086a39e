"""One recv(32) for the answer: when it comes in pieces, the first piece is compared."""
# exercise: hmac-challenge
# class: one-recv-one-message
import hashlib
import hmac
import os
import socket
import sys
import threading

KEY = os.environ["NETLAB_KEY"].encode()


def authenticate(connection):
    challenge = os.urandom(32)
    connection.sendall(challenge)
    response = connection.recv(32)
    expected = hmac.new(KEY, challenge, hashlib.sha256).digest()
    if hmac.compare_digest(response, expected):
        print("access granted")
        connection.sendall(b"Access Granted")
        connection.recv(1)
    else:
        print("access denied")
    connection.close()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    connection, _ = listener.accept()
    threading.Thread(target=authenticate, args=(connection,)).start()
