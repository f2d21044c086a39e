"""Waits for stdin and the socket at once, in one loop."""
# exercise: tcp-echo
import os
import select
import socket
import sys

sock = socket.create_connection((os.environ["NETLAB_HOST"], int(sys.argv[1])))
reading = [sock, sys.stdin.buffer.raw]
while sock in reading:
    ready, _, _ = select.select(reading, [], [])
    if sock in ready:
        data = sock.recv(4096)
        if not data:
            break
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    if sys.stdin.buffer.raw in ready:
        data = os.read(0, 4096)
        if data:
            sock.sendall(data)
        else:
            sock.shutdown(socket.SHUT_WR)
            reading.remove(sys.stdin.buffer.raw)
