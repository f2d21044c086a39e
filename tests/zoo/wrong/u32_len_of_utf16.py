"""Announces the length in UTF-16 units, as `length` of JavaScript, Java and C# counts, and sends UTF-8."""
# exercise: framed-echo-u32
# class: length-counts-characters
import socketserver
import sys


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while len(head := self.rfile.read(4)) == 4:
            size = int.from_bytes(head, "big")
            payload = self.rfile.read(size)
            if len(payload) < size:
                break
            try:
                size = len(payload.decode().encode("utf-16-le")) // 2
            except UnicodeDecodeError:
                pass  # no text: its bytes are counted
            self.wfile.write(size.to_bytes(4, "big") + payload)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
