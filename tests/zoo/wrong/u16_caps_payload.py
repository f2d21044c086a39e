"""No answer is longer than a buffer of 1,024 bytes."""
# exercise: framed-echo-u16
# class: truncates-long-message
import asyncio
import struct
import sys

LIMIT = 1024


async def conversation(reader, writer):
    try:
        while True:
            (size,) = struct.unpack("!H", await reader.readexactly(2))
            message = (await reader.readexactly(size))[:LIMIT]
            writer.write(struct.pack("!H", len(message)))
            writer.write(message)
            await writer.drain()
    except asyncio.IncompleteReadError:
        pass
    except ConnectionError:
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(conversation, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await server.serve_forever()


asyncio.run(main())
