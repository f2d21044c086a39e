"""A newline at the end of the answer that nobody asked for."""
# exercise: udp-ack
# class: none
import socketserver
import sys


class Ack(socketserver.DatagramRequestHandler):
    def handle(self):
        self.wfile.write(b"Message received\n")


socketserver.UDPServer(("127.0.0.1", int(sys.argv[1])), Ack).serve_forever()
