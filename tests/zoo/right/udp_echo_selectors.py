"""Non-blocking socket, a selector that wakes ten times a second."""
# exercise: udp-echo
import selectors, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("localhost", int(sys.argv[1])))
s.setblocking(False)
sel = selectors.DefaultSelector()
sel.register(s, selectors.EVENT_READ)
while 1:
    for _ in sel.select(0.1):
        try:
            while 1:
                d, a = s.recvfrom(9000)
                s.sendto(d, a)
        except BlockingIOError:
            pass
