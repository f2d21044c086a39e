"""Leaves what is hard to remove: folders in folders, closed folders, pipes, links, nasty names."""
import os
from common import each_client, listener

sock = listener()
os.chdir(os.environ["TMPDIR"])
os.makedirs("closed/inner", exist_ok=True)
os.mkfifo(f"pipe-{os.getpid()}")
for name in (f"link-{os.getpid()}", f"\x1b[2J\n{os.getpid()}"):
    os.symlink("/usr", name)
os.chmod("closed/inner", 0)
os.chmod("closed", 0)
top = f"deep-{os.getpid()}"
os.mkdir(top)
os.chdir(top)
for _ in range(3_000):
    os.mkdir("d")
    os.chdir("d")
os.chmod(os.environ["TMPDIR"], 0)
each_client(lambda conn: None, sock)
