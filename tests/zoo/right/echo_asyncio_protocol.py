"""asyncio's Protocol: transports echo what comes."""
# exercise: tcp-echo
import asyncio
import os


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def main():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", int(os.environ["NETLAB_PORT"]))
    await server.serve_forever()


asyncio.run(main())
