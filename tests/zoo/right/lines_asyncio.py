"""asyncio streams, text decoded a whole line at a time, a fifth of a second for each client's first answer."""
# exercise: upper-lines
import asyncio
import os
import string

TABLE = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


async def client(reader, writer):
    await asyncio.sleep(0.2)
    try:
        while True:
            line = (await reader.readuntil(b"\n")).decode()
            writer.write(line.translate(TABLE).encode())
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, UnicodeDecodeError):
        writer.close()


async def main():
    port = int(os.environ["NETLAB_PORT"])
    async with await asyncio.start_server(client, "127.0.0.1", port, limit=2**20) as server:
        await server.serve_forever()


asyncio.run(main())
