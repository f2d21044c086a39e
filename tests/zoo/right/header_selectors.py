"""The guide's Message class, shortened: a state machine over a selector."""
# exercise: framed-echo-header
import json
import selectors
import socket
import struct
import sys

sel = selectors.DefaultSelector()


class Message:
    def __init__(self, sock):
        self.sock = sock
        self._recv_buffer = b""
        self._send_buffer = b""
        self._jsonheader_len = None
        self.jsonheader = None
        self.over = False

    def process_events(self, mask):
        if mask & selectors.EVENT_READ:
            self.read()
        if mask & selectors.EVENT_WRITE:
            self._send_buffer = self._send_buffer[self.sock.send(self._send_buffer):]
        if self.over and not self._send_buffer:
            self.close()
            return
        events = 0 if self.over else selectors.EVENT_READ
        sel.modify(self.sock, events | (selectors.EVENT_WRITE if self._send_buffer else 0), self)

    def read(self):
        data = self.sock.recv(4096)
        if not data:
            self.over = True
        self._recv_buffer += data
        while self.step():
            pass

    def step(self):
        if self._jsonheader_len is None:
            if len(self._recv_buffer) < 2:
                return False
            self._jsonheader_len = struct.unpack(">H", self._recv_buffer[:2])[0]
            self._recv_buffer = self._recv_buffer[2:]
        if self.jsonheader is None:
            if len(self._recv_buffer) < self._jsonheader_len:
                return False
            self.jsonheader = json.loads(self._recv_buffer[:self._jsonheader_len])
            self._recv_buffer = self._recv_buffer[self._jsonheader_len:]
            for required in ("byteorder", "content-length", "content-type", "content-encoding"):
                if required not in self.jsonheader:
                    raise ValueError(f"Missing required header '{required}'.")
        size = self.jsonheader["content-length"]
        if len(self._recv_buffer) < size:
            return False
        header = dict(self.jsonheader, byteorder=sys.byteorder)
        raw = json.dumps(header).encode()
        self._send_buffer += struct.pack(">H", len(raw)) + raw + self._recv_buffer[:size]
        self._recv_buffer = self._recv_buffer[size:]
        self._jsonheader_len = self.jsonheader = None
        return True

    def close(self):
        sel.unregister(self.sock)
        self.sock.close()


lsock = socket.create_server(("127.0.0.1", int(sys.argv[1])))
lsock.setblocking(False)
sel.register(lsock, selectors.EVENT_READ, data=None)
while True:
    for key, mask in sel.select(timeout=None):
        if key.data is None:
            conn, _ = lsock.accept()
            conn.setblocking(False)
            sel.register(conn, selectors.EVENT_READ, Message(conn))
        else:
            try:
                key.data.process_events(mask)
            except Exception as error:
                print("main: error:", error)
                key.data.close()
