"""Takes memory until there is none; it stops by itself after 8 GiB, which it does not touch."""
import time
from common import listener

sock = listener()
taken = []
for _ in range(128):
    taken.append(bytearray(64 << 20))
time.sleep(1000)
