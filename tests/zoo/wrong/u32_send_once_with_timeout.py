"""A socket with a time limit does not block in send until everything is out: one send is not sendall."""
# exercise: framed-echo-u32
# class: partial-send-lost
import os
import socket
import threading

def exactly(c, n):
    b = bytearray()
    while len(b) < n:
        p = c.recv(n - len(b))
        if not p:
            raise ConnectionError("end")
        b += p
    return bytes(b)

def work(c):
    c.settimeout(60)
    try:
        while True:
            size = exactly(c, 4)
            body = exactly(c, int.from_bytes(size, "big"))
            c.send(size + body)
    except OSError as problem:
        print(problem)
    finally:
        c.close()

with socket.create_server(("127.0.0.1", int(os.environ["NETLAB_PORT"]))) as s:
    while True:
        conn, peer = s.accept()
        threading.Thread(target=work, args=(conn,)).start()
