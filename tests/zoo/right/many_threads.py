"""A thread for each client; noisy."""
# exercise: tcp-echo-many
import socketserver
import sys
import threading


class ThreadedTCPRequestHandler(socketserver.BaseRequestHandler):
    def handle(self):
        me = threading.current_thread().name
        while True:
            data = self.request.recv(1024)
            if not data:
                print(me, "client left")
                break
            print(me, len(data), "bytes", "." * 500)
            self.request.sendall(data)


class ThreadedTCPServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    with ThreadedTCPServer(("localhost", int(sys.argv[1])), ThreadedTCPRequestHandler) as server:
        server.serve_forever()
