"""After one message the buffer begins afresh."""
# exercise: framed-echo-header
# class: drops-rest-of-buffer
import json
import socket
import sys
import threading


def serve(conn):
    data = b""
    try:
        while chunk := conn.recv(16384):
            data += chunk
            if len(data) < 2:
                continue
            hlen = data[0] << 8 | data[1]
            if len(data) < 2 + hlen:
                continue
            header = json.loads(data[2:2 + hlen])
            if len(data) < 2 + hlen + header["content-length"]:
                continue
            content = data[2 + hlen:2 + hlen + header["content-length"]]
            raw = json.dumps(header).encode("utf-8")
            conn.sendall(bytes([len(raw) >> 8, len(raw) & 255]) + raw + content)
            data = b""
    except (OSError, ValueError, KeyError) as error:
        print("!", error, file=sys.stderr)
    conn.close()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=listener.accept()[:1], daemon=True).start()
