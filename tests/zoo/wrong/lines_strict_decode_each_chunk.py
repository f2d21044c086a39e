"""Each chunk is decoded strictly: a character on the cut ends the connection."""
# exercise: upper-lines
# class: splits-multibyte
import os
import socket
import threading


def upper(text):
    return "".join(c.upper() if c.isascii() else c for c in text)


def client(conn, name):
    buffer = ""
    try:
        while True:
            data = conn.recv(256)
            if not data:
                break
            buffer += data.decode("utf-8")
            while (at := buffer.find("\n")) >= 0:
                conn.sendall((upper(buffer[:at]) + "\n").encode("utf-8"))
                buffer = buffer[at + 1:]
    except UnicodeDecodeError as e:
        print(name, e)
    except OSError:
        pass
    conn.close()


with socket.create_server(("127.0.0.1", int(os.environ["NETLAB_PORT"]))) as srv:
    number = 0
    while True:
        conn, _ = srv.accept()
        number += 1
        threading.Thread(target=client, args=(conn, f"client-{number}"), daemon=True).start()
