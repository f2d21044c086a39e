"""multiprocessing's own framing: a 4-byte big-endian length, then the bytes. No authkey: no handshake."""
import sys
from multiprocessing.connection import Client

with Client((sys.argv[1], int(sys.argv[2]))) as connection:
    for message in [b"Hello", b"", bytes(range(256)), b"x" * 100_000]:
        connection.send_bytes(message)
        assert connection.recv_bytes() == message, f"{len(message)} bytes came back changed"
print("all came back")
