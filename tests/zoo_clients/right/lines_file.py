"""The socket as a file of lines."""
# exercise: upper-lines
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock, sock.makefile("rb") as answers:
    for line in sys.stdin.buffer:
        sock.sendall(line)
        answer = answers.readline()
        if not answer:
            sys.exit(1)
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()
