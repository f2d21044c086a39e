"""asyncio's Protocol with a buffer; answers are joined."""
# exercise: framed-echo-u32
import asyncio
import sys


class Framed(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        answers = []
        while len(self.buffer) >= 4:
            end = 4 + int.from_bytes(self.buffer[:4], "big")
            if len(self.buffer) < end:
                break
            answers.append(self.buffer[:end])
            self.buffer = self.buffer[end:]
        if answers:
            self.transport.write(b"".join(answers))


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Framed(), "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
