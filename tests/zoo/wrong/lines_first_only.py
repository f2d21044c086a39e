"""asyncio: only the first line of a chunk is answered, the rest of the buffer is thrown away."""
# exercise: upper-lines
# class: drops-rest-of-buffer
import asyncio
import sys


class UpperProtocol(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.pending = b""

    def data_received(self, data):
        self.pending += data
        if b"\n" in self.pending:
            line, _ = self.pending.split(b"\n", 1)
            self.transport.write(line.upper() + b"\n")
            self.pending = b""

    def eof_received(self):
        return False


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(UpperProtocol, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await server.serve_forever()


asyncio.run(main())
