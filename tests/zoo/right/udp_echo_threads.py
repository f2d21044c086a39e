"""socketserver with a thread for each datagram."""
# exercise: udp-echo
import os
import socketserver


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(data, self.client_address)


socketserver.ThreadingUDPServer(("", int(os.environ["NETLAB_PORT"])), Echo).serve_forever()
