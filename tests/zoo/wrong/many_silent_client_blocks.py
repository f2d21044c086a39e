"""asyncio, but the coroutine calls a blocking recv: who connects and says nothing holds up the whole loop."""
# exercise: tcp-echo-many
# class: one-client-at-a-time
import asyncio
import socket
import sys


async def serve(conn):
    conn.setblocking(True)
    try:
        while data := conn.recv(2000):
            conn.sendall(data)
            await asyncio.sleep(0)
    except OSError:
        pass
    conn.close()


async def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    listener.setblocking(False)
    tasks = set()
    while True:
        conn, _ = await asyncio.get_running_loop().sock_accept(listener)
        task = asyncio.create_task(serve(conn))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main())
