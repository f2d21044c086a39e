"""Takes one message out of its buffer for each recv."""
# exercise: framed-echo-u16
# class: one-message-per-recv
import socket
import struct
import sys
import threading

sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))


def show():
    buffer = b""
    while data := sock.recv(4096):
        buffer += data
        if len(buffer) >= 2:
            size = struct.unpack("!H", buffer[:2])[0]
            if len(buffer) < 2 + size:
                continue
            print(buffer[2:2 + size].decode(), flush=True)
            buffer = buffer[2 + size:]


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
