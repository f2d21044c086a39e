"""Two tasks of one loop; each request has an id."""
# exercise: rooms
import asyncio
import itertools
import json
import os
import sys

MEMBERS = {"LOGIN": "username", "ROOM_CREATE": "room", "ROOM_JOIN": "room", "ROOM_ECHO": "text"}
SHOWN = {
    "LOGGED_IN": "username room", "ROOM_CREATED": "room", "ROOM_JOINED": "room username members",
    "ROOM_LEFT": "room username", "ROOM_ECHOED": "room from text", "ERROR": "code message",
}


async def show(reader):
    try:
        while True:
            size = int.from_bytes(await reader.readexactly(2), "big")
            payload = await reader.readexactly(size)
            try:
                message = json.loads(payload)
            except ValueError:
                print("no JSON", file=sys.stderr)
                continue
            kind, data = message["type"], message.get("data", {})
            if kind == "ROOM_LISTED":
                print(kind, *[f"{r['room']}={r['members']}" for r in data["rooms"]], flush=True)
            elif kind in SHOWN:
                print(kind, *[data[name] for name in SHOWN[kind].split()], flush=True)
    except (asyncio.IncompleteReadError, OSError):
        pass


async def ask(writer):
    loop = asyncio.get_running_loop()
    source = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(source), sys.stdin)
    for number in itertools.count(1):
        line = (await source.readline()).decode()
        if not line:
            break
        kind, _, rest = line.rstrip("\n").partition(" ")
        message = {"id": number, "type": kind}
        if kind in MEMBERS:
            message["data"] = {MEMBERS[kind]: rest}
        payload = json.dumps(message).encode()
        writer.write(len(payload).to_bytes(2, "big") + payload)
        await writer.drain()
    writer.write_eof()


async def main():
    reader, writer = await asyncio.open_connection(os.environ["NETLAB_HOST"], int(os.environ["NETLAB_PORT"]))
    asking = asyncio.create_task(ask(writer))
    await show(reader)
    asking.cancel()
    # A write to a connection that is gone is no news.
    await asyncio.gather(asking, return_exceptions=True)


asyncio.run(main())
