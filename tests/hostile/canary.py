"""Puts a pipe, or a link to what has no end, in the place of each file that it finds. Serves rightly."""
import os
from common import each_client, echo, listener

sock = listener()
number = 0
for folder, _, names in os.walk(os.environ["TMPDIR"]):
    for path in (os.path.join(folder, name) for name in names):
        os.remove(path)
        number += 1
        if number % 2:
            os.symlink("/dev/zero", path)
        else:
            os.mkfifo(path)
each_client(echo, sock)
