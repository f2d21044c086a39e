"""Sleeps a fifth of a second before small answers, and sends them byte by byte."""
# exercise: framed-echo-u16
import socket
import socketserver
import sys
import time


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while len(prefix := self.rfile.read(2)) == 2:
            size = int.from_bytes(prefix, "big")
            payload = self.rfile.read(size)
            if len(payload) < size:
                break
            if size > 100:
                self.request.sendall(prefix + payload)
                continue
            time.sleep(0.2)
            for byte in prefix + payload:
                self.request.sendall(bytes([byte]))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
