"""Reads the header's length in network order, and writes it in the order of this machine."""
# exercise: framed-echo-header
# class: little-endian-length
import json
import socketserver
import struct
import sys


class Handler(socketserver.StreamRequestHandler):
    def exactly(self, n):
        data = self.rfile.read(n)
        if len(data) < n:
            raise EOFError
        return data

    def handle(self):
        try:
            while True:
                (hlen,) = struct.unpack(">H", self.exactly(2))
                header = json.loads(self.exactly(hlen).decode("utf-8"))
                content = self.exactly(header["content-length"])
                answer = {
                    "byteorder": sys.byteorder,
                    "content-type": header["content-type"],
                    "content-encoding": header["content-encoding"],
                    "content-length": len(content),
                }
                raw = json.dumps(answer, ensure_ascii=False).encode("utf-8")
                self.wfile.write(struct.pack("=H", len(raw)) + raw + content)
        except (EOFError, KeyError, ValueError, OSError) as why:
            print("closing:", repr(why))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
