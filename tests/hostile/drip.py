"""Right, but one byte per second."""
import time
from common import each_client

def serve(conn):
    while data := conn.recv(4096):
        for byte in data:
            conn.sendall(bytes([byte]))
            time.sleep(1)

each_client(serve)
