"""asyncio; the answer's header has its members in another order, and one more; pretty-printed."""
# exercise: framed-echo-header
import asyncio
import json
import os


async def talk(reader, writer):
    try:
        while True:
            hlen = int.from_bytes(await reader.readexactly(2), "big")
            head = json.loads(await reader.readexactly(hlen))
            content = await reader.readexactly(head["content-length"])
            reply = json.dumps({
                "content-encoding": head["content-encoding"],
                "server": "mine",
                "content-length": head["content-length"],
                "content-type": head["content-type"],
                "byteorder": "big",
            }, indent=2).encode()
            writer.write(len(reply).to_bytes(2, "big"))
            writer.write(reply)
            writer.write(content)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError, KeyError):
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(talk, "127.0.0.1", int(os.environ["NETLAB_PORT"]))
    await server.serve_forever()


asyncio.run(main())
