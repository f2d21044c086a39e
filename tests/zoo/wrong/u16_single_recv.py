"""Each recv is taken for one whole frame."""
# exercise: framed-echo-u16
# class: one-recv-one-message
import socket
import struct
import sys
import threading


def serve(conn, peer):
    print("Connected by", peer)
    with conn:
        while True:
            data = conn.recv(1024 * 128)
            if not data:
                break
            length = struct.unpack("!H", data[:2])[0]
            payload = data[2:]
            conn.sendall(struct.pack("!H", len(payload)) + payload)
    print("bye", peer)


server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(5)
while True:
    threading.Thread(target=serve, args=server.accept(), daemon=True).start()
