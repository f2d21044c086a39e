"""Fills its folder with a file; it stops by itself at 1 GiB."""
import os
import sys
from common import each_client, echo, listener

sock = listener()
path = os.path.join(os.environ.get("TMPDIR", "."), "big")
try:
    with open(path, "wb") as file:
        file.truncate(1 << 30)
        print("no limit on files", file=sys.stderr)
except OSError as error:
    print("refused:", error, file=sys.stderr)
each_client(echo, sock)
