"""The course's client of the HMAC challenge: argv[1] is the port, argv[2] the key."""
import hashlib
import hmac
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10) as s:
    challenge = s.recv(32, socket.MSG_WAITALL)
    s.sendall(hmac.new(sys.argv[2].encode(), challenge, hashlib.sha256).digest())
    print(s.recv(1024))
