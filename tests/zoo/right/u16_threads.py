"""Threads and recvall."""
# exercise: framed-echo-u16
import socket
import struct
import sys
import threading


def recvall(sock, n):
    data = bytearray()
    while len(data) < n:
        packet = sock.recv(n - len(data))
        if not packet:
            return None
        data.extend(packet)
    return bytes(data)


def handle(sock):
    with sock:
        try:
            while True:
                raw = recvall(sock, 2)
                if raw is None:
                    break
                payload = recvall(sock, struct.unpack("!H", raw)[0])
                if payload is None:
                    break
                sock.sendall(struct.pack("!H", len(payload)) + payload)
        except ConnectionError:
            print("gone")


server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("0.0.0.0", int(sys.argv[1])))
server.listen()
while True:
    threading.Thread(target=handle, args=(server.accept()[0],), daemon=True).start()
