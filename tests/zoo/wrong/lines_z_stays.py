"""One off: the letters from a to y are converted, z is not."""
# exercise: upper-lines
# class: none
import socketserver
import sys


def upper(byte):
    return byte - 32 if ord("a") <= byte < ord("z") else byte


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            if not line.endswith(b"\n"):
                break
            self.wfile.write(bytes(upper(byte) for byte in line))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
