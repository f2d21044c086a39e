"""Prints 300 MB of escape sequences before it comes, and sends some to the server."""
import os
import socket
import sys

words = "\x1b[2J\x1b]0;owned\x07\u202e\u009b31m".encode() * 4096
for _ in range(300 * 2**20 // len(words) // 2):
    os.write(1, words)
    os.write(2, words)
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(b"\0\x15" + words[:21])
