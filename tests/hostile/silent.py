"""Takes everything, answers nothing, for ever."""
import time
from common import each_client

def serve(conn):
    while conn.recv(4096):
        pass
    while True:
        time.sleep(1000)

each_client(serve)
