"""struct's native order, which is little-endian here."""
# exercise: framed-echo-u16
# class: little-endian-length
import socket, struct, sys, threading

def recvall(conn, n):
    data = b""
    while len(data) < n:
        more = conn.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data

def talk(conn):
    try:
        while True:
            n = struct.unpack("<H", recvall(conn, 2))[0]
            conn.sendall(struct.pack("<H", n) + recvall(conn, n))
    except (EOFError, OSError):
        pass
    conn.close()

sock = socket.socket()
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.bind(("127.0.0.1", int(sys.argv[1])))
sock.listen(10)
while True:
    conn, addr = sock.accept()
    threading.Thread(target=talk, args=(conn,), daemon=True).start()
