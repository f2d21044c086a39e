"""Listens only after two seconds; then one client, with select and a buffer for what could not be sent yet."""
# exercise: tcp-echo-once
import select
import socket
import sys
import time

time.sleep(2)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    conn, _ = listener.accept()
conn.setblocking(False)
out, ended = b"", False
while out or not ended:
    reading = [] if ended or len(out) >= 1 << 20 else [conn]
    readable, writable, _ = select.select(reading, [conn] if out else [], [])
    if readable:
        data = conn.recv(700)
        out += data
        ended = not data
    if writable:
        out = out[conn.send(out) :]
conn.close()
