"""Claims a frame of 4 GiB, and goes on sending it."""
import time
from common import each_client

def serve(conn):
    conn.sendall(b"\xff\xff\xff\xff")
    while True:
        conn.sendall(b"A" * 1_000_000)
        time.sleep(0.01)

each_client(serve)
