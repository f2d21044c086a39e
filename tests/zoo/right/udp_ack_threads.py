"""Two threads take datagrams from one socket."""
# exercise: udp-ack
import os, socket, threading, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", int(os.environ["NETLAB_PORT"])))
def work():
    while True:
        _, who = s.recvfrom(4096)
        time.sleep(0.05)
        s.sendto(b"Message received", who)
for _ in range(2):
    threading.Thread(target=work).start()
