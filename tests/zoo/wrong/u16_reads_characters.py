"""Reads as many characters as the prefix says bytes, and so waits for more than comes."""
# exercise: framed-echo-u16
# class: length-counts-characters
import socketserver
import sys


class Handler(socketserver.StreamRequestHandler):
    def read_characters(self, count):
        data = b""
        for _ in range(count):
            first = self.rfile.read(1)
            if not first:
                return None
            # The first byte of a character tells how many follow it.
            more = 3 if first >= b"\xf0" else 2 if first >= b"\xe0" else 1 if first >= b"\xc0" else 0
            data += first + self.rfile.read(more)
        return data

    def handle(self):
        while len(head := self.rfile.read(2)) == 2:
            payload = self.read_characters(int.from_bytes(head, "big"))
            if payload is None:
                break
            self.wfile.write(len(payload).to_bytes(2, "big") + payload)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
