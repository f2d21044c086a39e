"""socketserver, one client at a time, read1 on the file object."""
# exercise: tcp-echo
import socketserver, sys

class H(socketserver.StreamRequestHandler):
    def handle(self):
        while data := self.rfile.read1():
            self.wfile.write(data)

class S(socketserver.TCPServer):
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        print("trouble with", client_address, file=sys.stderr)

S(("localhost", int(sys.argv[1])), H).serve_forever()
