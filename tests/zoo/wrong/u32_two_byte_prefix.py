"""Speaks the other exercise's prefix."""
# exercise: framed-echo-u32
# class: wrong-prefix-width
import socketserver
import struct
import sys


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while len(head := self.rfile.read(2)) == 2:
            body = self.rfile.read(struct.unpack("!H", head)[0])
            self.wfile.write(head + body)


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
