"""A thread for each recv, every second one quicker than the one before: the answers of one client overtake each other."""
# exercise: tcp-echo-many
# class: none
import socket
import sys
import threading
import time


def answer(conn, data, delay):
    time.sleep(delay)
    try:
        conn.sendall(data)
    except OSError:
        pass


def serve(conn):
    threads = []
    try:
        while data := conn.recv(1024):
            delay = 0 if len(threads) % 2 else 0.2
            threads.append(threading.Thread(target=answer, args=(conn, data, delay)))
            threads[-1].start()
    except OSError:
        pass
    for thread in threads:
        thread.join()
    conn.close()


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],)).start()
