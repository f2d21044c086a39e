"""The sender is left out of its own message."""
# exercise: rooms
# class: none
import asyncio
import json
import os

names = {}
rooms = {"default": []}


def push(writer, kind, data, ident=None):
    message = {"type": kind, "data": data}
    if ident is not None:
        message["id"] = ident
    raw = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    writer.write(len(raw).to_bytes(2, "big") + raw)


class Session:
    def __init__(self, writer):
        self.w, self.name, self.room = writer, None, None

    def notify(self, kind):
        here = rooms[self.room]
        for member in here:
            if member is not self:
                push(member.w, kind, {"room": self.room, "username": self.name, "members": len(here)})

    def leave(self):
        if self.room:
            rooms[self.room].remove(self)
            self.notify("ROOM_LEFT")
            if not rooms[self.room] and self.room != "default":
                rooms.pop(self.room)
            self.room = None

    def join(self, room):
        if room != self.room:
            self.leave()
            rooms.setdefault(room, []).append(self)
            self.room = room
            self.notify("ROOM_JOINED")

    def answer(self, kind, data):
        match kind, data:
            case "LOGIN", {"username": str(name)}:
                if name in names:
                    return "ERROR", {"code": "name_taken", "message": f"{name} is taken"}
                self.name = name
                names[name] = self
                self.join("default")
                return "LOGGED_IN", {"username": name, "room": "default"}
            case "ROOM_CREATE", {"room": str(room)}:
                if room in rooms:
                    return "ERROR", {"code": "room_exists", "message": room}
                self.join(room)
                return "ROOM_CREATED", {"room": room}
            case "ROOM_JOIN", {"room": str(room)}:
                if room not in rooms:
                    return "ERROR", {"code": "no_such_room", "message": room}
                self.join(room)
                return "ROOM_JOINED", {"room": room, "username": self.name, "members": len(rooms[room])}
            case "ROOM_LEAVE", _:
                if not self.room:
                    return "ERROR", {"code": "not_in_room", "message": "join one first"}
                room = self.room
                self.leave()
                return "ROOM_LEFT", {"room": room, "username": self.name}
            case "ROOM_LIST", _:
                return "ROOM_LISTED", {"rooms": [{"room": r, "members": len(m)} for r, m in rooms.items()]}
            case "ROOM_ECHO", {"text": str(text)}:
                if not self.room:
                    return "ERROR", {"code": "not_in_room", "message": "join one first"}
                for member in [m for m in rooms[self.room] if m is not self]:
                    push(member.w, "ROOM_ECHOED", {"room": self.room, "from": self.name, "text": text})
                return None
            case ("LOGIN" | "ROOM_CREATE" | "ROOM_JOIN" | "ROOM_ECHO"), _:
                return "ERROR", {"code": "bad_message", "message": "data"}
        return "ERROR", {"code": "unknown_type", "message": "?"}

    def handle(self, raw):
        try:
            message = json.loads(raw)
        except (ValueError, UnicodeDecodeError):
            return push(self.w, "ERROR", {"code": "bad_json", "message": "not JSON"})
        if not (isinstance(message, dict) and isinstance(message.get("type"), str)):
            return push(self.w, "ERROR", {"code": "bad_message", "message": "no type"})
        answer = self.answer(message["type"], message.get("data", {}))
        if answer:
            push(self.w, *answer, message.get("id"))


async def client(reader, writer):
    session = Session(writer)
    try:
        while True:
            size = int.from_bytes(await reader.readexactly(2), "big")
            raw = await reader.readexactly(size)
            await asyncio.sleep(0.02)
            session.handle(raw)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        session.leave()
        names.pop(session.name, None)
        writer.close()


async def main():
    async with await asyncio.start_server(client, "127.0.0.1", int(os.environ["NETLAB_PORT"])) as server:
        await server.serve_forever()


asyncio.run(main())
