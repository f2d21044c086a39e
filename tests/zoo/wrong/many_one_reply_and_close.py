"""One recv, one answer, and the connection is closed."""
# exercise: tcp-echo-many
# class: one-recv-one-message
# args: {host} {port}
import socketserver
import sys


class OneShot(socketserver.BaseRequestHandler):
    def handle(self):
        data = self.request.recv(1024)
        print(f"{self.client_address[0]} wrote: {data!r}")
        self.request.sendall(data)


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True


with Server((sys.argv[1], int(sys.argv[2])), OneShot) as server:
    server.serve_forever()
