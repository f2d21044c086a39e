"""Takes `../` out of an id, once: what is left may be another `../`."""
# exercise: records
# class: path-traversal
import asyncio
import datetime
import json
import os
import pathlib

folder = pathlib.Path(os.environ.get("FILE_PATH", "."))


class Bad(Exception):
    pass


def handle(raw):
    try:
        message = json.loads(raw.decode("utf-8"))
    except ValueError:
        raise Bad("bad_json") from None
    if not isinstance(message, dict) or "type" not in message:
        raise Bad("bad_message")
    kind, data = message["type"], message.get("data", {})
    if kind not in ["RECORD_WRITE", "RECORD_READ"]:
        raise Bad("unknown_type" if isinstance(kind, str) else "bad_message")
    try:
        ident = data["client_id"]
        text = data["text"] if kind == "RECORD_WRITE" else ""
    except (KeyError, TypeError):
        raise Bad("bad_message") from None
    if not isinstance(ident, str) or not isinstance(text, str):
        raise Bad("bad_message")
    ident = ident.replace("../", "")
    file = folder / f"{ident}.txt"
    if kind == "RECORD_WRITE":
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        try:
            file.write_bytes(f"Last updated: {now}\n{text}".encode("utf-8"))
        except OSError:
            raise Bad("bad_record") from None
        return {"type": "RECORD_WRITTEN", "data": {"client_id": ident, "updated": now}}
    if not file.exists():
        raise Bad("no_such_record")
    stamp, _, text = file.read_bytes().decode("utf-8").partition("\n")
    return {"type": "RECORD", "data": {"client_id": ident, "updated": stamp[14:], "text": text}}


async def client(reader, writer):
    try:
        while True:
            size = int.from_bytes(await reader.readexactly(2), "big")
            raw = await reader.readexactly(size)
            try:
                reply = handle(raw)
            except Bad as bad:
                reply = {"type": "ERROR", "data": {"code": str(bad), "message": "can't be done"}}
            reply = json.dumps(reply).encode()
            writer.write(len(reply).to_bytes(2, "big") + reply)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(client, "127.0.0.1", int(os.environ["NETLAB_PORT"]))
    await server.serve_forever()


asyncio.run(main())
