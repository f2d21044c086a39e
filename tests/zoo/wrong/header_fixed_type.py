"""Says text/json and utf-8 of everything, whatever the request said."""
# exercise: framed-echo-header
# class: none
import json
import socketserver
import sys


class H(socketserver.StreamRequestHandler):
    def handle(self):
        while len(head := self.rfile.read(2)) == 2:
            header = json.loads(self.rfile.read(int.from_bytes(head, "big")))
            content = self.rfile.read(header["content-length"])
            reply = json.dumps({"byteorder": sys.byteorder, "content-type": "text/json",
                                "content-encoding": "utf-8", "content-length": len(content)}).encode()
            self.wfile.write(len(reply).to_bytes(2, "big") + reply + content)


class S(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


S(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
