"""A client that is silent for a quarter of a second is taken for gone."""
# exercise: tcp-echo-once
# class: none
import socket
import sys

with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    conn, _ = listener.accept()
    conn.settimeout(0.25)
    with conn:
        try:
            while data := conn.recv(1024):
                conn.sendall(data)
        except TimeoutError:
            print("client is gone")
