"""Fills the shared memory, where files outlive their processes; it stops by itself after 3 GB."""
import os
from common import each_client, echo, listener

sock = listener()
for number in range(50):
    try:
        with open(f"/dev/shm/{os.getpid()}-{number}", "wb") as file:
            for _ in range(60):
                file.write(bytes(1 << 20))
    except OSError:
        pass
each_client(echo, sock)
