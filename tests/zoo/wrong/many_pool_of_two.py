"""A pool of two threads: the third client waits until one of the others has gone."""
# exercise: tcp-echo-many
# class: one-client-at-a-time
import socket
import sys
from concurrent.futures import ThreadPoolExecutor


def serve(conn):
    with conn:
        try:
            while data := conn.recv(4096):
                conn.sendall(data)
        except OSError:
            pass


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
with ThreadPoolExecutor(max_workers=2) as pool:
    while True:
        pool.submit(serve, listener.accept()[0])
