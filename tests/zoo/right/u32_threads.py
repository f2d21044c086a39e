"""Threads, a file object, buffered writes that are flushed."""
# exercise: framed-echo-u32
import socket
import struct
import sys
import threading


def handle(conn):
    with conn, conn.makefile("rwb") as f:
        try:
            while len(head := f.read(4)) == 4:
                (n,) = struct.unpack("!I", head)
                body = f.read(n)
                if len(body) < n:
                    return
                f.write(head + body)
                f.flush()
        except OSError:
            pass


s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=handle, args=(s.accept()[0],), daemon=True).start()
