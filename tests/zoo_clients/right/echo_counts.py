"""Line by line: reads as many bytes as it sent, and a greeting not at all."""
# exercise: tcp-echo-once
import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    for line in sys.stdin.buffer:
        sock.sendall(line)
        missing = len(line)
        while missing:
            data = sock.recv(min(missing, 1024))
            if not data:
                sys.exit("the server has gone")
            sys.stdout.buffer.write(data)
            missing -= len(data)
        sys.stdout.flush()
