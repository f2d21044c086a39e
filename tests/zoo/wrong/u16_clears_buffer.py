"""After one frame the whole buffer is cleared, and what followed in it is gone."""
# exercise: framed-echo-u16
# class: drops-rest-of-buffer
import socket
import struct
import sys
from threading import Thread


def handle(sock):
    buffer = b""
    while True:
        chunk = sock.recv(4096)
        if not chunk:
            sock.close()
            return
        buffer += chunk
        if len(buffer) < 2:
            continue
        need = struct.unpack("!H", buffer[:2])[0]
        if len(buffer) >= 2 + need:
            message = buffer[2:2 + need]
            sock.sendall(struct.pack("!H", need) + message)
            buffer = b""


def main(port):
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("0.0.0.0", port))
    listening.listen(50)
    print(f"[*] listening on {port}")
    while True:
        sock, addr = listening.accept()
        print(f"[+] {addr}")
        Thread(target=handle, args=[sock], daemon=True).start()


main(int(sys.argv[1]))
