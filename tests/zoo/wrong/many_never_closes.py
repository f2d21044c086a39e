"""At the end of a client's stream the server stops watching it, and keeps the socket open."""
# exercise: tcp-echo-many
# class: ignores-half-close
import select
import socket
import sys

srv = socket.create_server(("127.0.0.1", int(sys.argv[1])))
readers = [srv]
everybody = []
while True:
    ready, _, _ = select.select(readers, [], [])
    for sock in ready:
        if sock is srv:
            client, _ = srv.accept()
            readers.append(client)
            everybody.append(client)
            continue
        try:
            data = sock.recv(8192)
            if data:
                sock.sendall(data)
            else:
                readers.remove(sock)
        except ConnectionError:
            readers.remove(sock)
