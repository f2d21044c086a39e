"""One recv for each line."""
# exercise: tcp-echo-once
# class: one-recv-one-message
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    for line in sys.stdin.buffer:
        sock.sendall(line)
        sys.stdout.buffer.write(sock.recv(1 << 18))
        sys.stdout.flush()
