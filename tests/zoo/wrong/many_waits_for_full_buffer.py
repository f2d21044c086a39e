"""Answers each message once a chunk of 4 KiB is full, or the client has ended."""
# exercise: tcp-echo-many
# class: none
import asyncio
import sys


async def handle(reader, writer):
    try:
        while True:
            data = await reader.readexactly(4096)
            writer.write(data)
            await writer.drain()
    except asyncio.IncompleteReadError as rest:
        writer.write(rest.partial)
    except ConnectionError:
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
