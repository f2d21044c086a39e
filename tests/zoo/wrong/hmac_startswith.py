"""expected.startswith(answer): a half answer, even none at all, is let in."""
# exercise: hmac-challenge
# class: compares-partial-digest
import asyncio
import hashlib
import hmac
import os

SECRET = os.environ["NETLAB_KEY"].encode()


async def session(reader, writer):
    challenge = os.urandom(32)
    try:
        writer.write(challenge)
        await writer.drain()
        answer = b""
        while len(answer) < 32:
            piece = await reader.read(32 - len(answer))
            if not piece:
                break
            answer += piece
        expected = hmac.digest(SECRET, challenge, "sha256")
        if expected.startswith(answer):
            writer.write(b"Access Granted")
            await writer.drain()
            await reader.read()
    except ConnectionError:
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(session, "127.0.0.1", int(os.environ["NETLAB_PORT"]))
    await server.serve_forever()


asyncio.run(main())
