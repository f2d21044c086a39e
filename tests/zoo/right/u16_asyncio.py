"""readexactly; the prefix and the payload are two writes."""
# exercise: framed-echo-u16
import asyncio
import os


async def talk(reader, writer):
    try:
        while True:
            size = await reader.readexactly(2)
            payload = await reader.readexactly(int.from_bytes(size, "big"))
            writer.write(size)
            writer.write(payload)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(talk, "127.0.0.1", int(os.environ["NETLAB_PORT"]))
    async with server:
        await server.serve_forever()


asyncio.run(main())
