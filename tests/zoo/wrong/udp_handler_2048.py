"""socketserver's UDP server with a packet size that is too small."""
# exercise: udp-echo
# class: truncates-long-message
import os
import socketserver


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(data, self.client_address)


class Server(socketserver.UDPServer):
    max_packet_size = 2048


with Server(("127.0.0.1", int(os.environ["NETLAB_PORT"])), Echo) as s:
    s.serve_forever()
