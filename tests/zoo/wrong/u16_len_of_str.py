"""The length of the answer is that of the text: characters, not bytes."""
# exercise: framed-echo-u16
# class: length-counts-characters
import socket
import struct
import sys
import threading
import time


def read_exactly(conn, count):
    parts = []
    while count:
        part = conn.recv(min(count, 2048))
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def handler(conn):
    while True:
        prefix = read_exactly(conn, 2)
        if prefix is None:
            break
        payload = read_exactly(conn, struct.unpack("!H", prefix)[0])
        if payload is None:
            break
        text = payload.decode("utf-8", "surrogateescape")
        time.sleep(0.02)
        conn.sendall(struct.pack("!H", len(text)) + text.encode("utf-8", "surrogateescape"))
    conn.close()


server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=20)
print("ready")
while True:
    conn, _ = server.accept()
    threading.Thread(target=handler, args=(conn,), daemon=True).start()
