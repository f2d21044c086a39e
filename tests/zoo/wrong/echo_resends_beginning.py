"""Counts down what remains, but sends it from the beginning: as many bytes as are due, and some of them twice."""
# exercise: tcp-echo
# class: resends-from-start
import socket
import sys


def send_all(conn, data):
    remaining = len(data)
    while remaining > 0:
        remaining -= conn.send(data[:remaining])


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    conn, _ = listener.accept()
    conn.settimeout(15)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    try:
        while data := conn.recv(300_000):
            send_all(conn, data)
    except OSError:
        pass
    conn.close()
