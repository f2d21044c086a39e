"""A process for each client."""
# exercise: tcp-echo-many
import os
import signal
import socket
import sys

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=32)
while True:
    conn, _ = server.accept()
    if os.fork() == 0:
        server.close()
        try:
            while data := conn.recv(16384):
                conn.sendall(data)
        except ConnectionError:
            pass
        os._exit(0)
    conn.close()
