"""The length in the order of the processor."""
# exercise: framed-echo-header
# class: little-endian-length
import json
import socket
import struct
import sys


def exactly(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            sys.exit("the server has gone")
        data += more
    return data


with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    for line in sys.stdin:
        content = line.rstrip("\n").encode()
        header = {
            "byteorder": sys.byteorder,
            "content-type": "text/json",
            "content-encoding": "utf-8",
            "content-length": len(content),
        }
        header = json.dumps(header).encode()
        sock.sendall(struct.pack("<H", len(header)) + header + content)
        size = struct.unpack("!H", exactly(sock, 2))[0]
        header = json.loads(exactly(sock, size))
        print(exactly(sock, header["content-length"]).decode())
