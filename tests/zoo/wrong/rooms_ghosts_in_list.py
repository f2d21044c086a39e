"""A client is dropped from the loop, and not from the room."""
# exercise: rooms
# class: ghost-members
import json
import selectors
import socket
import struct
import sys

sel = selectors.DefaultSelector()


class Client:
    def __init__(self, sock):
        self.sock, self.name, self.room = sock, "", ""
        self.inbox, self.outbox, self.ended = bytearray(), bytearray(), False

    def send(self, kind, data):
        frame = json.dumps({"type": kind, "data": data}).encode("utf-8")
        self.outbox += struct.pack(">H", len(frame)) + frame

    def error(self, code):
        print("error", code, "for", self.name)
        self.send("ERROR", {"code": code, "message": code.replace("_", " ")})


class RoomServer:
    def __init__(self, port):
        self.clients = {}
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.setblocking(False)
        sel.register(self.listener, selectors.EVENT_READ)
        self.created = {"default"}
        self.handlers = {
            "LOGIN": (self.login, "username"), "ROOM_CREATE": (self.create, "room"),
            "ROOM_JOIN": (self.join, "room"), "ROOM_LEAVE": (self.leave, None),
            "ROOM_LIST": (self.list, None), "ROOM_ECHO": (self.echo, "text"),
        }

    def members(self, room):
        return [c for c in self.clients.values() if c.room == room]

    def move(self, client, room):
        old, client.room = client.room, room
        if old and old != room:
            rest = self.members(old)
            for c in rest:
                c.send("ROOM_LEFT", {"room": old, "username": client.name, "members": len(rest)})
            if not rest and old != "default":
                self.created.discard(old)
        if room and old != room:
            now = self.members(room)
            for c in now:
                if c is not client:
                    c.send("ROOM_JOINED", {"room": room, "username": client.name, "members": len(now)})

    def login(self, client, name):
        if any(c.name.lower() == name.lower() for c in self.clients.values()):
            return client.error("name_taken")
        client.name = name
        client.send("LOGGED_IN", {"username": name, "room": "default"})
        self.move(client, "default")
        client.send("ROOM_JOINED", {"room": "default", "username": name, "members": len(self.members("default"))})

    def create(self, client, room):
        if room in self.created:
            return client.error("room_exists")
        self.created.add(room)
        self.move(client, room)
        client.send("ROOM_CREATED", {"room": room})

    def join(self, client, room):
        if room not in self.created:
            return client.error("no_such_room")
        self.move(client, room)
        client.send("ROOM_JOINED", {"room": room, "username": client.name, "members": len(self.members(room))})

    def leave(self, client, _):
        if not client.room:
            return client.error("not_in_room")
        room = client.room
        self.move(client, "")
        client.send("ROOM_LEFT", {"room": room, "username": client.name})

    def list(self, client, _):
        listed = [{"room": r, "members": len(self.members(r))} for r in sorted(self.created)]
        client.send("ROOM_LISTED", {"rooms": listed})

    def echo(self, client, text):
        if not client.room:
            return client.error("not_in_room")
        for c in self.members(client.room):
            c.send("ROOM_ECHOED", {"room": client.room, "from": client.name, "text": text})

    def frame(self, client, payload):
        try:
            message = json.loads(payload.decode("utf-8"))
        except ValueError:
            return client.error("bad_json")
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            return client.error("bad_message")
        if message["type"] not in self.handlers:
            return client.error("unknown_type")
        handler, member = self.handlers[message["type"]]
        data = message.get("data", {})
        if member and (not isinstance(data, dict) or not isinstance(data.get(member), str)):
            return client.error("bad_message")
        handler(client, data[member] if member else None)

    def read(self, client):
        data = client.sock.recv(4096)
        if not data:
            client.ended = True
        client.inbox += data
        while len(client.inbox) >= 2:
            end = 2 + struct.unpack_from(">H", client.inbox)[0]
            if len(client.inbox) < end:
                break
            self.frame(client, bytes(client.inbox[2:end]))
            del client.inbox[:end]

    def drop(self, client):
        sel.unregister(client.sock)
        self.clients[object()] = self.clients.pop(client.sock)
        client.sock.close()

    def run(self):
        while True:
            for key, mask in sel.select():
                if key.fileobj is self.listener:
                    sock, _ = self.listener.accept()
                    sock.setblocking(False)
                    self.clients[sock] = Client(sock)
                    sel.register(sock, selectors.EVENT_READ)
                    continue
                client = self.clients.get(key.fileobj)
                try:
                    if client and mask & selectors.EVENT_READ:
                        self.read(client)
                except ConnectionError:
                    client.ended = True
                    client.outbox.clear()
            # Who is dropped is news for others, so all are flushed once more.
            while any([self.flush(c) for c in list(self.clients.values()) if c.sock.fileno() >= 0]):
                pass

    def flush(self, client):
        try:
            if client.outbox:
                del client.outbox[:client.sock.send(client.outbox)]
        except BlockingIOError:
            pass
        except ConnectionError:
            client.ended = True
            client.outbox.clear()
        if client.ended and not client.outbox:
            self.drop(client)
            return True
        reading = 0 if client.ended else selectors.EVENT_READ
        sel.modify(client.sock, reading | (selectors.EVENT_WRITE if client.outbox else 0))
        return False


RoomServer(int(sys.argv[1])).run()
