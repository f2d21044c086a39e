"""The header's length is read and written little-endian."""
# exercise: framed-echo-header
# class: little-endian-length
import asyncio
import json
import struct
import sys


async def serve(reader, writer):
    try:
        while True:
            (n,) = struct.unpack("<H", await reader.readexactly(2))
            header = json.loads(await reader.readexactly(n))
            content = await reader.readexactly(header["content-length"])
            raw = json.dumps({**header, "byteorder": sys.byteorder}).encode()
            writer.write(struct.pack("<H", len(raw)) + raw + content)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError):
        writer.close()


async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as s:
        await s.serve_forever()


asyncio.run(main())
