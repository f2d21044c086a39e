"""asyncio, and the loop ends with the client."""
# exercise: tcp-echo-once
import asyncio
import sys


async def main():
    over = asyncio.get_running_loop().create_future()

    async def echo(reader, writer):
        while data := await reader.read(10):
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        over.set_result(None)

    server = await asyncio.start_server(echo, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await over


asyncio.run(main())
