"""Reads frames, and answers with their payload alone."""
# exercise: framed-echo-u16
# class: missing-prefix
import socketserver
import sys


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while len(head := self.rfile.read(2)) == 2:
            size = int.from_bytes(head, "big")
            payload = self.rfile.read(size)
            if len(payload) < size:
                break
            self.wfile.write(payload)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
