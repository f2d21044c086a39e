"""An empty recv is taken for a pause: the server tries again, for ever."""
# exercise: framed-echo-u16
# class: ignores-half-close
import socket
import struct
import sys
import threading
import time


def run(conn):
    buf = b""
    while True:
        try:
            data = conn.recv(4096)
        except OSError:
            return
        if not data:
            time.sleep(0.05)
            continue
        buf += data
        while len(buf) >= 2:
            (n,) = struct.unpack("!H", buf[:2])
            if len(buf) < n + 2:
                break
            conn.sendall(buf[: n + 2])
            buf = buf[n + 2 :]


s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
while True:
    c, _ = s.accept()
    threading.Thread(target=run, args=(c,), daemon=True).start()
