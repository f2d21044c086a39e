"""asyncio's datagram endpoint."""
# exercise: udp-ack
import asyncio
import sys


class Ack(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(b"Message received", addr)


async def main():
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Ack, local_addr=("127.0.0.1", int(sys.argv[1])))
    try:
        await asyncio.sleep(3600)
    finally:
        transport.close()


asyncio.run(main())
