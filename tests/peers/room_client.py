"""A client of the room server: room_client.py HOST PORT u16|u32|header NAME"""
import json, socket, struct, sys
host, port, framing, name = sys.argv[1:]
sock = socket.create_connection((host, int(port)), timeout=30)
stream = sock.makefile("rb")
number = {"u16": ">H", "u32": ">I", "header": ">H"}[framing]

def send(kind, **data):
    payload = json.dumps({"type": kind, "data": data, "id": kind}).encode()
    if framing == "header":
        header = json.dumps({"byteorder": sys.byteorder, "content-type": "text/json", "content-encoding": "utf-8",
                             "content-length": len(payload)}).encode()
        sock.sendall(struct.pack(number, len(header)) + header + payload)
    else:
        sock.sendall(struct.pack(number, len(payload)) + payload)

def answer(kind, **expected):
    while True:
        length, = struct.unpack(number, stream.read(struct.calcsize(number)))
        length = json.loads(stream.read(length))["content-length"] if framing == "header" else length
        message = json.loads(stream.read(length))
        if kind in (message.get("id"), message["data"].get("ref")):
            wrong = {key: message["data"].get(key) for key in expected if message["data"].get(key) != expected[key]}
            return print("ok", kind) if not wrong else sys.exit(f"{kind}: {expected} expected, got {message}")
for kind, data, expected in [
        ("LOGIN", {"username": name}, {"username": name, "room": "default"}), ("ROOM_JOIN", {"room": "lab", "create": True}, {"room": "lab"}),
        ("ROOM_ECHO", {"text": "Hallo \u2603"}, {"from": name, "text": "Hallo \u2603", "seq": 1}), ("ROOM_LIST", {}, {"rooms": [
            {"room": "default", "members": 0}, {"room": "lab", "members": 1}]}), ("ROOM_LEAVE", {}, {"room": "lab"})]:
    send(kind, **data)
    answer(kind, **expected)
