"""Reads one message for each request, of whatever type."""
# exercise: rooms
# class: notice-taken-for-answer
import json
import socket
import sys

SHOWN = {
    "LOGGED_IN": ["username", "room"],
    "ROOM_CREATED": ["room"],
    "ROOM_JOINED": ["room", "username", "members"],
    "ROOM_LEFT": ["room", "username"],
    "ROOM_ECHOED": ["room", "from", "text"],
    "ERROR": ["code", "message"],
}


def exactly(sock, size):
    data = bytearray()
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            sys.exit("the server has gone")
        data += more
    return bytes(data)


def answer(sock):
    """The next message that is an answer."""
    while True:
        size = int.from_bytes(exactly(sock, 2), "big")
        payload = exactly(sock, size)
        try:
            message = json.loads(payload)
        except ValueError:
            continue
        if message["type"] in [*SHOWN, "ROOM_LISTED"]:
            return message


with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    for line in sys.stdin:
        words = line.rstrip("\n").split(" ", 1)
        names = {"LOGIN": "username", "ROOM_ECHO": "text"}
        data = dict(zip([names.get(words[0], "room")], words[1:]))
        request = json.dumps({"type": words[0], "data": data}).encode()
        sock.sendall(len(request).to_bytes(2, "big") + request)
        message = answer(sock)
        values = [message["data"][name] for name in SHOWN.get(message["type"], [])]
        if message["type"] == "ROOM_LISTED":
            values = [f"{room['room']}={room['members']}" for room in message["data"]["rooms"]]
        print(message["type"], *values, flush=True)
