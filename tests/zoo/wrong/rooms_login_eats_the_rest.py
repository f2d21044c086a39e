"""The login is received on its own, and what came behind it in the same segment is lost."""
# exercise: rooms
# class: drops-rest-of-buffer
import json
import socketserver
import struct
import sys
import threading

lock = threading.RLock()
users = {}  # username -> handler
rooms = {"default": set()}


class Refused(Exception):
    pass


class User(socketserver.StreamRequestHandler):
    def setup(self):
        super().setup()
        self.name = None
        self.room = None

    def tell(self, kind, **data):
        payload = json.dumps({"type": kind, "data": data}, ensure_ascii=False).encode()
        try:
            self.request.sendall(struct.pack("!H", len(payload)) + payload)
        except OSError:
            pass

    def handle(self):
        try:
            self.login()
            while len(head := self.rfile.read(2)) == 2:
                (size,) = struct.unpack("!H", head)
                payload = self.rfile.read(size)
                if len(payload) < size:
                    return
                self.answer(payload)
        except OSError:
            pass

    def login(self):
        data = b""
        while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
            more = self.request.recv(4096)
            if not more:
                return
            data += more
        self.answer(data[2:2 + int.from_bytes(data[:2], "big")])

    def answer(self, payload):
        with lock:
            try:
                self.dispatch(payload)
            except Refused as why:
                self.tell("ERROR", code=why.args[0], message="no")

    def finish(self):
        with lock:
            self.leave()
            users.pop(self.name, None)

    def dispatch(self, payload):
        try:
            message = json.loads(payload)
        except ValueError:
            raise Refused("bad_json")
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Refused("bad_message")
        handler = getattr(self, "on_" + message["type"], None)
        if handler is None:
            raise Refused("unknown_type")
        handler(message.get("data") or {})

    def text(self, data, member):
        if not isinstance(data, dict) or not isinstance(data.get(member), str):
            raise Refused("bad_message")
        return data[member]

    def leave(self):
        if self.room is None:
            return
        room, self.room = self.room, None
        rooms[room].discard(self)
        for other in rooms[room]:
            other.tell("ROOM_LEFT", room=room, username=self.name, members=len(rooms[room]))
        if not rooms[room] and room != "default":
            del rooms[room]

    def enter(self, room):
        self.leave()
        rooms[room].add(self)
        self.room = room
        for other in rooms[room] - {self}:
            other.tell("ROOM_JOINED", room=room, username=self.name, members=len(rooms[room]))

    def on_LOGIN(self, data):
        name = self.text(data, "username")
        if name in users:
            raise Refused("name_taken")
        users[name], self.name = self, name
        self.enter("default")
        self.tell("LOGGED_IN", username=name, room="default")

    def on_ROOM_CREATE(self, data):
        room = self.text(data, "room")
        if room in rooms:
            raise Refused("room_exists")
        self.leave()
        rooms[room] = set()
        self.enter(room)
        self.tell("ROOM_CREATED", room=room)

    def on_ROOM_JOIN(self, data):
        room = self.text(data, "room")
        if room not in rooms:
            raise Refused("no_such_room")
        if room != self.room:
            self.enter(room)
        self.tell("ROOM_JOINED", room=room, username=self.name, members=len(rooms[room]))

    def on_ROOM_LEAVE(self, _):
        if self.room is None:
            raise Refused("not_in_room")
        room = self.room
        self.leave()
        self.tell("ROOM_LEFT", room=room, username=self.name)

    def on_ROOM_LIST(self, _):
        self.tell("ROOM_LISTED", rooms=[{"room": name, "members": len(all_)} for name, all_ in rooms.items()])

    def on_ROOM_ECHO(self, data):
        text = self.text(data, "text")
        if self.room is None:
            raise Refused("not_in_room")
        for member in rooms[self.room]:
            member.tell("ROOM_ECHOED", room=self.room, **{"from": self.name}, text=text)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), User).serve_forever()
