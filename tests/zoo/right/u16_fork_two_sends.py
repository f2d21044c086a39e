"""A process for each client; prefix and payload are two sends, an eighth of a second late, and it talks much."""
# exercise: framed-echo-u16
import os
import signal
import socket
import sys
import time

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=10)


def serve(conn, address):
    file = conn.makefile("rb")
    while len(prefix := file.read(2)) == 2:
        size = int.from_bytes(prefix, "big")
        payload = file.read(size)
        if len(payload) < size:
            break
        time.sleep(0.12)
        print("a frame of", size, "bytes from", address, flush=True)
        conn.sendall(prefix)
        conn.sendall(payload)


while True:
    conn, address = listener.accept()
    if os.fork() == 0:
        listener.close()
        try:
            serve(conn, address)
        except OSError as why:
            print("lost", address, why, file=sys.stderr)
        os._exit(0)
    conn.close()
