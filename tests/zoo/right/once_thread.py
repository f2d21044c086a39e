"""Closes the listener as soon as its one client is there; a reader thread and a writer thread with a queue between."""
# exercise: tcp-echo-once
import os, queue, socket, threading

listener = socket.create_server(("127.0.0.1", int(os.environ["NETLAB_PORT"])), backlog=1)
peer, _ = listener.accept()
listener.close()
q = queue.Queue()

def reader():
    while data := peer.recv(4096):
        q.put(data)
    q.put(None)

threading.Thread(target=reader).start()
while (data := q.get()) is not None:
    peer.sendall(data)
peer.shutdown(socket.SHUT_WR)
peer.close()
