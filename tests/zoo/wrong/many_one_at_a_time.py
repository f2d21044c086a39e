"""Accepts the next client when this one has left."""
# exercise: tcp-echo-many
# class: one-client-at-a-time
import socket, sys

srv = socket.socket()
srv.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
srv.bind(("127.0.0.1", int(sys.argv[1])))
srv.listen(5)
while True:
    cli, where = srv.accept()
    print("client", where)
    try:
        while (msg := cli.recv(512)):
            cli.sendall(msg)
    except ConnectionResetError:
        print("reset")
    cli.close()
