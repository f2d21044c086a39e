"""The port is written into the program."""
# exercise: tcp-echo
# class: listens-elsewhere
import socket

with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    s.listen()
    while True:
        conn, addr = s.accept()
        with conn:
            while data := conn.recv(1024):
                conn.sendall(data)
