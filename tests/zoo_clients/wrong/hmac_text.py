"""Takes the challenge for text."""
# exercise: hmac-challenge
# class: none
import hashlib
import hmac
import os
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    challenge = b""
    while len(challenge) < 32:
        more = sock.recv(32 - len(challenge))
        if not more:
            sys.exit(1)
        challenge += more
    sock.sendall(hmac.new(os.environ["NETLAB_KEY"].encode(), challenge.strip(), hashlib.sha256).digest())
    said = b""
    while more := sock.recv(4096):
        said += more
    print(said.decode())
