"""asyncio: the first client that leaves stops the loop for all."""
# exercise: upper-lines
# class: exits-after-one-client
import asyncio
import sys


async def main():
    done = asyncio.Event()

    async def talk(reader, writer):
        try:
            while line := await reader.readline():
                if line.endswith(b"\n"):
                    writer.write(line.upper())
                    await writer.drain()
        except ConnectionError:
            pass
        writer.close()
        done.set()

    server = await asyncio.start_server(talk, "127.0.0.1", int(sys.argv[1]), limit=1 << 20)
    await done.wait()
    await asyncio.sleep(0.1)
    server.close()


asyncio.run(main())
