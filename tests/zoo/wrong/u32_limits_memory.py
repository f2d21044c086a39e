"""Frames over 64 KiB are answered with their first 64 KiB."""
# exercise: framed-echo-u32
# class: truncates-long-message
import socketserver, struct, sys

class H(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            p = self.rfile.read(4)
            if len(p) < 4:
                return
            b = self.rfile.read(struct.unpack("!L", p)[0])[:65536]
            self.wfile.write(struct.pack("!L", len(b)) + b)

class S(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

S(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
