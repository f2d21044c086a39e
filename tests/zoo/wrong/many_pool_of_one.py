"""A pool of one worker serves the clients."""
# exercise: tcp-echo-many
# class: one-client-at-a-time
import socket
import sys
from concurrent.futures import ThreadPoolExecutor


def echo(conn):
    with conn:
        try:
            while chunk := conn.recv(4096):
                conn.sendall(chunk)
        except ConnectionError:
            pass


with ThreadPoolExecutor(max_workers=1) as pool, socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        pool.submit(echo, server.accept()[0])
