"""Forgets what came behind a message."""
# exercise: rooms
# class: drops-rest-of-buffer
import json
import socket
import struct
import sys
import threading

MEMBERS = {
    "LOGIN": ["username"], "ROOM_CREATE": ["room"], "ROOM_JOIN": ["room"], "ROOM_ECHO": ["text"],
}
SHOWN = {
    "LOGGED_IN": ["username", "room"],
    "ROOM_CREATED": ["room"],
    "ROOM_JOINED": ["room", "username", "members"],
    "ROOM_LEFT": ["room", "username"],
    "ROOM_ECHOED": ["room", "from", "text"],
    "ERROR": ["code", "message"],
}
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))


def line_of(message):
    kind, data = message["type"], message.get("data", {})
    if kind == "ROOM_LISTED":
        return " ".join([kind, *(f"{room['room']}={room['members']}" for room in data["rooms"])])
    if kind in SHOWN:
        return " ".join([kind, *(str(data[name]) for name in SHOWN[kind])])
    return None


def show():
    buffer = b""
    while data := sock.recv(4096):
        buffer += data
        while len(buffer) >= 2 and len(buffer) >= 2 + (size := struct.unpack("!H", buffer[:2])[0]):
            payload, buffer = buffer[2:2 + size], b""
            try:
                line = line_of(json.loads(payload))
            except ValueError:
                continue
            if line:
                print(line, flush=True)


def listen():
    try:
        show()
    except OSError:
        pass


reader = threading.Thread(target=listen)
reader.start()
try:
    for line in sys.stdin:
        kind, _, rest = line.rstrip("\n").partition(" ")
        message = {"type": kind, "data": {name: rest for name in MEMBERS.get(kind, [])}}
        payload = json.dumps(message, ensure_ascii=False).encode()
        sock.sendall(struct.pack("!H", len(payload)) + payload)
    sock.shutdown(socket.SHUT_WR)
except OSError:
    pass
reader.join()
