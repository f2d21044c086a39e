"""Forgets what came behind a message."""
# exercise: framed-echo-u16
# class: drops-rest-of-buffer
import socket
import struct
import sys
import threading

sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))


def show():
    buffer = b""
    while data := sock.recv(4096):
        buffer += data
        while len(buffer) >= 2:
            size = struct.unpack("!H", buffer[:2])[0]
            if len(buffer) < 2 + size:
                break
            print(buffer[2:2 + size].decode(), flush=True)
            buffer = b""


reader = threading.Thread(target=show)
reader.start()
try:
    for line in sys.stdin:
        data = line.rstrip("\n").encode()
        sock.sendall(struct.pack("!H", len(data)) + data)
    sock.shutdown(socket.SHUT_WR)
except OSError:
    pass
reader.join()
