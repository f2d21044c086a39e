"""The header is cut out of whatever the first recv returned."""
# exercise: framed-echo-header
# class: one-recv-one-message
import json
import socketserver
import sys


class EchoHandler(socketserver.BaseRequestHandler):
    def handle(self):
        while True:
            data = self.request.recv(100_000)
            if not data:
                break
            while data:
                hlen = int.from_bytes(data[:2], "big")
                header = json.loads(data[2 : 2 + hlen])
                end = 2 + hlen + header["content-length"]
                content = data[2 + hlen : end]
                data = data[end:]
                header["content-length"] = len(content)
                header["byteorder"] = sys.byteorder
                raw = json.dumps(header).encode()
                self.request.sendall(len(raw).to_bytes(2, "big") + raw + content)


class EchoServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


with EchoServer(("127.0.0.1", int(sys.argv[1])), EchoHandler) as server:
    server.serve_forever()
