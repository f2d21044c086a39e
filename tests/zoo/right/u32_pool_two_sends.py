"""A large pool; thinks for a twentieth of a second, then sends the prefix and the payload each for itself."""
# exercise: framed-echo-u32
import socket
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def exactly(conn, count):
    parts = []
    while count:
        part = conn.recv(min(count, 65536))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def serve(conn):
    with conn:
        try:
            while True:
                (size,) = struct.unpack("!I", exactly(conn, 4))
                payload = exactly(conn, size)
                time.sleep(0.05)
                conn.sendall(struct.pack("!I", size))
                conn.sendall(payload)
        except (EOFError, OSError):
            pass


pool = ThreadPoolExecutor(64)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    pool.submit(serve, listener.accept()[0])
