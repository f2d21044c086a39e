"""Requests are read rightly; the length of the answer is that of the whole frame."""
# exercise: framed-echo-u32
# class: length-counts-prefix
import asyncio
import os


async def client(reader, writer):
    try:
        while True:
            size = int.from_bytes(await reader.readexactly(4), "big")
            payload = await reader.readexactly(size)
            frame = bytearray(4) + payload
            frame[:4] = len(frame).to_bytes(4, "big")
            writer.write(frame)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(client, "127.0.0.1", int(os.environ["NETLAB_PORT"]))
    await server.serve_forever()

asyncio.run(main())
