"""compare_digest's result is not used."""
# exercise: hmac-challenge
# class: accepts-any-digest
import hashlib
import hmac
import os
import socketserver
import sys


class Login(socketserver.BaseRequestHandler):
    def handle(self):
        nonce = os.urandom(32)
        self.request.sendall(nonce)
        got = b""
        while len(got) < 32:
            piece = self.request.recv(32 - len(got))
            if not piece:
                return
            got += piece
        expected = hmac.new(os.environ["NETLAB_KEY"].encode(), nonce, hashlib.sha256).digest()
        ok = hmac.compare_digest
        if ok:
            self.request.sendall(b"Access Granted")
            self.request.recv(1)
        else:
            print("denied", expected.hex())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Login).serve_forever()
