"""Compares the last eight bytes of the digest."""
# exercise: hmac-challenge
# class: compares-partial-digest
import hashlib
import hmac
import os
import secrets
import socketserver
import sys


class Gate(socketserver.StreamRequestHandler):
    def handle(self):
        challenge = secrets.token_bytes(32)
        self.wfile.write(challenge)
        answer = self.rfile.read(32)
        right = hmac.new(os.environb[b"NETLAB_KEY"], challenge, hashlib.sha256).digest()
        if len(answer) == 32 and answer[-8:] == right[-8:]:
            self.wfile.write(b"Access Granted")
            self.rfile.read()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Gate).serve_forever()
