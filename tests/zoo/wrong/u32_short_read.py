"""recv(4), then recv(length): each may return less than was asked for."""
# exercise: framed-echo-u32
# class: one-recv-one-message
import os
import socketserver
import struct


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            head = self.request.recv(4)
            if not head:
                return
            (size,) = struct.unpack(">I", head)
            body = self.request.recv(size) if size else b""
            self.request.sendall(struct.pack(">I", len(body)) + body)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("", int(os.environ["NETLAB_PORT"])), Handler).serve_forever()
