"""Decodes each recv."""
# exercise: tcp-echo-many
# class: splits-multibyte
import socket
import sys
import threading

sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))


def show():
    try:
        while data := sock.recv(65536):
            print(data.decode(errors="replace"), end="", flush=True)
    except OSError:
        pass


reader = threading.Thread(target=show)
reader.start()
try:
    for line in sys.stdin.buffer:
        sock.sendall(line)
    sock.shutdown(socket.SHUT_WR)
except OSError:
    pass
reader.join()
