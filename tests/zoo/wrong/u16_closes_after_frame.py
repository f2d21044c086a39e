"""Answers one frame well, and hangs up."""
# exercise: framed-echo-u16
# class: closes-after-one-message
import asyncio, sys

async def once(reader, writer):
    try:
        head = await reader.readexactly(2)
        body = await reader.readexactly(int.from_bytes(head, "big"))
        writer.write(head + body)
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()

async def main():
    server = await asyncio.start_server(once, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()

asyncio.run(main())
