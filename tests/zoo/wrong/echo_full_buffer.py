"""Reads until a recv returns less than the buffer: a request of exactly 1,024 bytes waits for ever."""
# exercise: tcp-echo
# class: full-buffer-means-more
import socket
import sys

SIZE = 1024

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(sys.argv[1])))
    s.listen()
    while True:
        conn, addr = s.accept()
        with conn:
            print("Connected by", addr)
            ended = False
            while not ended:
                request = b""
                while True:
                    part = conn.recv(SIZE)
                    ended = not part
                    request += part
                    if len(part) < SIZE:
                        break
                try:
                    conn.sendall(request)
                except ConnectionError:
                    break
