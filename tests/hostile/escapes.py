"""Escape sequences, NUL, C1 controls and text direction, in answers and on both outputs."""
import sys
from common import each_client

NASTY = "\x1b]0;owned\x07\x1b[2J\x1b[31mPASSED\x00\u009b5m\u202e\u2066\u200b\rscore: 100\u2028\n".encode() + b"\xff\xfe\x9b"

def serve(conn):
    sys.stderr.buffer.write(NASTY)
    sys.stderr.flush()
    sys.stdout.buffer.write(NASTY)
    sys.stdout.flush()
    while conn.recv(4096):
        conn.sendall(NASTY)

each_client(serve)
