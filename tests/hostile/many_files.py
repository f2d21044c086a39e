"""Fills its folder with files, each within the limit; it stops by itself after 3 GB."""
import os
import threading
from common import each_client, echo, listener

def fill():
    for number in range(50):
        try:
            with open(os.path.join(os.environ["TMPDIR"], f"file-{number}"), "wb") as file:
                for _ in range(60):
                    file.write(bytes(1 << 20))
        except OSError:
            pass

sock = listener()
threading.Thread(target=fill, daemon=True).start()
each_client(echo, sock)
