"""The client of Real Python's socket guide: a 2-byte length, a JSON header, then the content."""
import json
import socket
import struct
import sys


def receive(s, count):
    data = b""
    while len(data) < count:
        data += s.recv(count - len(data)) or sys.exit("the server closed inside a message")
    return data


def encode(content, kind, encoding):
    header = {"byteorder": sys.byteorder, "content-type": kind, "content-encoding": encoding,
              "content-length": len(content)}
    header = json.dumps(header, ensure_ascii=False).encode()
    return struct.pack(">H", len(header)) + header + content


search = json.dumps({"action": "search", "value": "morpheus \u2603"}, ensure_ascii=False).encode()
messages = [(search, "text/json", "utf-8"), (bytes(range(256)), "binary/octet-stream", "binary")]
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=30) as s:
    s.sendall(b"".join(encode(*message) for message in messages))
    for content, kind, _ in messages:
        header = json.loads(receive(s, struct.unpack(">H", receive(s, 2))[0]))
        assert header["content-type"] == kind, header
        assert receive(s, header["content-length"]) == content, "the content came back changed"
print("all came back")
