"""asyncio; closes as soon as it has granted access."""
# exercise: hmac-challenge
import asyncio
import hmac
import os
import secrets


async def gate(reader, writer):
    challenge = secrets.token_bytes(32)
    try:
        writer.write(challenge)
        answer = await reader.readexactly(32)
        if hmac.compare_digest(answer, hmac.digest(os.environb[b"NETLAB_KEY"], challenge, "sha256")):
            await asyncio.sleep(0.1)
            writer.write(b"Access Granted")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def main():
    async with await asyncio.start_server(gate, "127.0.0.1", int(os.environ["NETLAB_PORT"])) as server:
        await server.serve_forever()


asyncio.run(main())
