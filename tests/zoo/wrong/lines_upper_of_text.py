"""`str.upper` knows more than a to z: é comes back as É."""
# exercise: upper-lines
# class: none
import asyncio
import sys


async def serve(reader, writer):
    try:
        while (line := await reader.readline()).endswith(b"\n"):
            text = line.decode(errors="surrogateescape").upper()
            writer.write(text.encode(errors="surrogateescape"))
            await writer.drain()
    except (ValueError, OSError):
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), limit=100_000)
    await server.serve_forever()


asyncio.run(main())
