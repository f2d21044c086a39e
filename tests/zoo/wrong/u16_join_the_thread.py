"""A thread for each client, and the main thread waits for it at once."""
# exercise: framed-echo-u16
# class: one-client-at-a-time
import os
import socket
import struct
import threading


def loop(stream):
    while True:
        prefix = stream.read(2)
        if len(prefix) < 2:
            return
        body = stream.read(struct.unpack("!H", prefix)[0])
        stream.write(prefix + body)
        stream.flush()


def handle(conn):
    with conn, conn.makefile("rwb") as stream:
        try:
            loop(stream)
        except OSError:
            pass


listener = socket.create_server(("127.0.0.1", int(os.environ.get("NETLAB_PORT", "5000"))))
while True:
    conn, _ = listener.accept()
    t = threading.Thread(target=handle, args=(conn,))
    t.start()
    t.join()
