"""A thread reads the socket, the main one reads stdin."""
# exercise: tcp-echo-many
import socket
import sys
import threading

sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))


def show():
    try:
        while data := sock.recv(65536):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
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
