"""Child processes of a race: pinned, ready when they listen, their processor time, and their certain end.

Linux only: readiness and processor time come from /proc.
"""

import os
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_S = 10


def cores():
    """The core for servers and the one for generators; None twice where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else (None, None)


def pinned(core):
    """What a child does before it runs: its own process group, and its core."""

    def prepare():
        os.setsid()
        if core is not None:
            os.sched_setaffinity(0, {core})

    return prepare


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(type=kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listens(port, udp):
    """True if a socket of this machine is bound to the port (UDP) or listens on it. Does not connect."""
    wanted = f":{port:04X}"
    for table in ("udp", "udp6") if udp else ("tcp", "tcp6"):
        try:
            lines = open(f"/proc/net/{table}").read().splitlines()[1:]
        except FileNotFoundError:
            continue
        for _, local, _, state, *_ in map(str.split, lines):
            if local.endswith(wanted) and (udp or state == "0A"):
                return True
    return False


class Server:
    """A server program in a process group of its own, which ends with it."""

    def __init__(self, command, port, udp=False):
        self.port = port
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=pinned(cores()[0]),
        )
        deadline = time.monotonic() + PATIENCE_S
        while not listens(port, udp):
            if self.child.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{command[0]} does not listen on port {port}")
            time.sleep(0.01)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def stop(self):
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def cpu_seconds(group):
    """Processor time of a process group so far: of its threads to the nanosecond, of children that have
    ended to the clock tick."""
    total = 0.0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            # The name in parentheses may hold anything.
            fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
            if int(fields[2]) != group:
                continue
            for thread in os.listdir(f"/proc/{pid}/task"):
                total += int(open(f"/proc/{pid}/task/{thread}/schedstat").read().split()[0]) / 1e9
            total += (int(fields[13]) + int(fields[14])) / TICKS
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def run(command, seconds):
    """Runs a generator to its end and returns its stdout. Its time is bounded."""
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=pinned(cores()[1]),
    )
    try:
        out, err = child.communicate(timeout=seconds + PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{command[0]} did not end") from None
    finally:
        # After a time-out, or Ctrl-C, which its own group did not get.
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if child.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {(err or out).strip()[-300:]}")
    return out
