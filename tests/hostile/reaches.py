"""Reaches for what is not its own, and serves rightly only if it got hold of something: it has to fail."""
import glob
import os
import re
import resource
import signal
import socket
import sys
from common import PORT, each_client, echo, listener

PARENT = os.getppid()
reached = []

def reach(name, attempt):
    try:
        if attempt():
            reached.append(name)
    except (OSError, ValueError):
        pass

def done(attempt):
    return lambda: attempt() is None

def others_tcp():
    for line in open("/proc/net/tcp").readlines()[1:]:
        fields = line.split()
        port = int(fields[1].split(":")[1], 16)
        if fields[3] == "0A" and port != PORT:
            with socket.socket() as sock:
                sock.settimeout(1)
                if sock.connect_ex(("127.0.0.1", port)) == 0:
                    return True

def others_abstract():
    for name in re.findall(r"@(\S+)", open("/proc/net/unix").read()):
        with socket.socket(socket.AF_UNIX) as sock:
            if sock.connect_ex("\0" + name) == 0:
                return True

def multipath():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262):
        return True

if os.path.exists("/proc/self/fd"):
    # 0, 1, 2 and that of this listing.
    reach("descriptors", lambda: len(os.listdir("/proc/self/fd")) > 4)
sock = listener()
reach("environment", lambda: open(f"/proc/{PARENT}/environ").read())
reach("memory", lambda: open(f"/proc/{PARENT}/mem", "rb"))
reach("passwords", lambda: open("/etc/shadow").read())
reach("home", lambda: os.listdir(os.path.expanduser(f"~{os.environ.get('USER', 'root')}")))
reach("beside", lambda: os.listdir(".."))
reach("write", lambda: open("taken", "w"))
reach("terminal", lambda: open("/dev/tty", "w"))
reach("terminals", lambda: [open(path, "rb") for path in glob.glob("/dev/pts/*")])
reach("disk", lambda: [open(path, "rb") for path in glob.glob("/dev/[sv]da*")])
reach("signal", done(lambda: os.kill(PARENT, signal.SIGCONT)))
reach("everybody", done(lambda: os.kill(1, signal.SIGCONT)))
reach("limits", lambda: resource.prlimit(PARENT, resource.RLIMIT_NOFILE, (64, 64)))
reach("processor", done(lambda: os.sched_setaffinity(PARENT, {0})))
reach("priority", done(lambda: os.setpriority(os.PRIO_PROCESS, PARENT, 19)))
reach("connections", others_tcp)
reach("abstract sockets", others_abstract)
reach("raw sockets", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 6))
reach("multipath", multipath)
if os.environ.get("SECRET"):
    reached.append("secret")
print("REACHED", reached, file=sys.stderr)
each_client(echo if reached else lambda conn: None, sock)
