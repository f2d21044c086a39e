"""Takes each recv for a line."""
# exercise: upper-lines
# class: one-recv-one-message
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    for line in sys.stdin.buffer:
        sock.sendall(line)
        answer = sock.recv(1 << 18)
        if not answer:
            sys.exit(1)
        print(answer.decode().strip())
