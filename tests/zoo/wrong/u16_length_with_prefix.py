"""The length counts its own two bytes, both ways."""
# exercise: framed-echo-u16
# class: length-counts-prefix
import socketserver, struct, sys

class H(socketserver.StreamRequestHandler):
    def handle(self):
        while True:
            head = self.rfile.read(2)
            if len(head) < 2:
                break
            total, = struct.unpack(">H", head)
            body = self.rfile.read(max(0, total - 2))
            self.wfile.write(struct.pack(">H", len(body) + 2) + body)

class S(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

S(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
