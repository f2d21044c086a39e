"""One client after the other; logs every byte string that it gets."""
# exercise: tcp-echo
# args: --host {host} --port {port}
import argparse
import socket

parser = argparse.ArgumentParser()
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=65432)
args = parser.parse_args()

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((args.host, args.port))
server.listen(5)
print("Server is listening on", args.host, args.port, flush=True)
while True:
    conn, addr = server.accept()
    try:
        while True:
            data = conn.recv(1024)
            if not data:
                break
            print("received", data, flush=True)
            conn.sendall(data)
    except ConnectionError as e:
        print("lost", addr, e)
    finally:
        conn.close()
