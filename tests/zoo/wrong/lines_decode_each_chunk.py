"""Each chunk is decoded by itself: a character on the cut becomes replacement characters."""
# exercise: upper-lines
# class: splits-multibyte
import socketserver
import sys

ASCII = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


class Shouter(socketserver.BaseRequestHandler):
    def handle(self):
        text = ""
        while chunk := self.request.recv(1024):
            text += chunk.decode("utf-8", errors="replace")
            while "\n" in text:
                line, text = text.split("\n", 1)
                self.request.sendall(line.translate(ASCII).encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Shouter).serve_forever()
