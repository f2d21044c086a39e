"""Compares the first four bytes of the digest."""
# exercise: hmac-challenge
# class: compares-partial-digest
import hashlib, hmac, os, secrets, socketserver, sys

class Gate(socketserver.StreamRequestHandler):
    def handle(self):
        nonce = secrets.token_bytes(32)
        self.wfile.write(nonce)
        answer = self.rfile.read(32)
        right = hmac.new(os.environb[b"NETLAB_KEY"], nonce, hashlib.sha256).digest()
        if answer[:4] == right[:4]:
            self.wfile.write(b"Access Granted")
            self.rfile.read()

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

Server(("127.0.0.1", int(sys.argv[1])), Gate).serve_forever()
