"""Answers without end, whatever it is asked."""
from common import each_client

def serve(conn):
    while True:
        conn.sendall(b"x" * 65_536)

each_client(serve)
