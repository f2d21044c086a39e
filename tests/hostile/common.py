"""What the hostile programs share: a listener on the port that is the first argument."""
import socket
import sys
import threading

PORT = int(sys.argv[1])


def listener(host="127.0.0.1", port=PORT):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((host, port))
    sock.listen(128)
    return sock


def guarded(serve, conn):
    try:
        serve(conn)
    except OSError:
        pass
    finally:
        conn.close()


def each_client(serve, sock=None):
    """Serves each client on a thread of its own, for ever."""
    sock = sock or listener()
    while True:
        conn = sock.accept()[0]
        threading.Thread(target=guarded, args=(serve, conn), daemon=True).start()


def echo(conn):
    while data := conn.recv(4096):
        conn.sendall(data)
