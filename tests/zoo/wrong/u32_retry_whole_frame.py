"""On a full send buffer the whole frame is tried again, though a part of it went out."""
# exercise: framed-echo-u32
# class: resends-from-start
import select, socket, struct, sys, threading

def push(conn, frame):
    while True:
        try:
            n = conn.send(frame, socket.MSG_DONTWAIT)
        except BlockingIOError:
            n = 0
        if n == len(frame):
            return
        select.select([], [conn], [])

def pull(conn, n):
    got = b""
    while len(got) < n:
        d = conn.recv(n - len(got))
        if not d: raise OSError("closed")
        got += d
    return got

def session(conn):
    try:
        while True:
            n = struct.unpack("!I", pull(conn, 4))[0]
            push(conn, struct.pack("!I", n) + pull(conn, n))
    except OSError:
        conn.close()

main = socket.socket()
main.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
main.bind(("127.0.0.1", int(sys.argv[1])))
main.listen(8)
while True:
    threading.Thread(target=session, args=(main.accept()[0],), daemon=True).start()
