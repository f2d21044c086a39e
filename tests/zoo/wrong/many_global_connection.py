"""Threads share one global variable for the connection: answers go to whoever came last."""
# exercise: tcp-echo-many
# class: answers-wrong-peer
import socket
import sys
import threading

current = None


def serve(mine):
    try:
        while True:
            data = mine.recv(1024)
            if not data:
                break
            current.sendall(data)
    except OSError:
        pass
    mine.close()


server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen(16)
while True:
    current, address = server.accept()
    threading.Thread(target=serve, args=(current,), daemon=True).start()
