"""Drains the socket 4,096 bytes at a time until it gets less; exactly 4,096 leave it waiting."""
# exercise: framed-echo-u16
# class: full-buffer-means-more
import socketserver
import sys

BUFSIZ = 4096


class FrameHandler(socketserver.BaseRequestHandler):
    def drain(self):
        data = b""
        while True:
            piece = self.request.recv(BUFSIZ)
            data += piece
            if len(piece) < BUFSIZ:
                return data, piece == b""

    def handle(self):
        buf = b""
        finished = False
        while not finished:
            data, finished = self.drain()
            buf += data
            while len(buf) >= 2 and len(buf) >= 2 + int.from_bytes(buf[:2], "big"):
                end = 2 + int.from_bytes(buf[:2], "big")
                self.request.sendall(buf[:end])
                buf = buf[end:]


class FrameServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True


FrameServer(("127.0.0.1", int(sys.argv[1])), FrameHandler).serve_forever()
