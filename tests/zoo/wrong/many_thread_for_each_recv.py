"""A thread for each recv, each with its own delay: the answers of one client overtake each other."""
# exercise: tcp-echo-many
# class: none
import random
import socket
import sys
import threading
import time


def answer(conn, data):
    time.sleep(random.random() / 5)
    try:
        conn.sendall(data)
    except OSError:
        pass


def serve(conn):
    threads = []
    try:
        while data := conn.recv(1024):
            threads.append(threading.Thread(target=answer, args=(conn, data)))
            threads[-1].start()
    except OSError:
        pass
    for thread in threads:
        thread.join()
    conn.close()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],)).start()
