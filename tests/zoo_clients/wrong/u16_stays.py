"""Never ends."""
# exercise: framed-echo-u16
# class: none
import os
import socket
import struct
import sys
import threading


def exactly(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            sys.exit("the server has gone")
        data += more
    return data


with socket.create_connection((os.environ["NETLAB_HOST"], int(sys.argv[1]))) as sock:
    for line in sys.stdin:
        text = line.rstrip("\n")
        data = text.encode()
        sock.sendall(struct.pack("!H", len(data)) + data)
        size = struct.unpack("!H", exactly(sock, 2))[0]
        print(exactly(sock, size).decode())
    threading.Event().wait()
