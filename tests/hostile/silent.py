"""Takes everything, answers nothing, for ever."""
from common import each_client

def serve(conn):
    while conn.recv(4096):
        pass
    while True:
        __import__("time").sleep(1000)

each_client(serve)
