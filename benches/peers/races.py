"""What is compared with what. A race runs one side once and returns its figures by name."""

import json
import os
import re
import shutil
import socket
import sys

from processes import Server, cpu_seconds, free_port, run

HERE = os.path.dirname(os.path.abspath(__file__))
WARM_UP_S = 0.2
MEMBERS, WINDOW = 50, 32


class Race:
    """One load, netlab and one peer under it."""

    def __init__(self, name, load, peer, program, command, udp=False):
        self.name, self.load, self.peer = name, load, peer
        self.program, self.command, self.udp = program, command, udp

    def missing(self):
        """The program that is not installed, if one is not. Debian keeps servers where users do not look."""
        return None if found(self.program) else self.program

    def start_peer(self):
        port = free_port(socket.SOCK_DGRAM if self.udp else socket.SOCK_STREAM)
        command = [word.format(port=port, here=HERE) for word in self.command]
        return Server([found(self.program), *command], port, self.udp)


class TcpEcho(Race):
    """`netlab bench tcp-echo` is the generator for both."""

    def __init__(self, name, peer, program, command, depth):
        super().__init__(name, f"TCP echo, 50 connections, depth {depth}, 64 B", peer, program, command)
        self.depth = depth

    def netlab(self, netlab, secs):
        with start_netlab(netlab, "tcp-echo", "server") as server:
            return self.measure(netlab, server, secs)

    def other(self, netlab, secs):
        with self.start_peer() as server:
            return self.measure(netlab, server, secs)

    def measure(self, netlab, server, secs):
        before = cpu_seconds(server.child.pid)
        report = bench(netlab, "tcp-echo", server, secs, "--connections", "50", "--depth", str(self.depth))
        # The warm-up's work is in the processor time, and its replies are not in the report's: the rate tells.
        replies = report["rate_per_s"] * (report["elapsed_s"] + WARM_UP_S)
        cpu = cpu_seconds(server.child.pid) - before
        return {"echoes/s": report["rate_per_s"], "server CPU per echo (us)": cpu / replies * 1e6}


class PubSub(Race):
    """pubsub.py is the generator for both."""

    def __init__(self, peer, program, command, protocol):
        load = f"one room of {MEMBERS}, {WINDOW} messages of 80 B in flight"
        super().__init__(f"rooms-{protocol}", load, peer, program, command)
        self.protocol = protocol

    def netlab(self, netlab, secs):
        with start_netlab(netlab, "serve", rate_limit=True) as server:
            return self.measure("netlab", server, secs)

    def other(self, _netlab, secs):
        with self.start_peer() as server:
            return self.measure(self.protocol, server, secs)

    def measure(self, protocol, server, secs):
        words = [protocol, server.port, server.child.pid, MEMBERS, WINDOW, secs]
        out = run([sys.executable, os.path.join(HERE, "pubsub.py"), *map(str, words)], secs)
        report = json.loads(out)
        return {"server CPU per delivery (us)": report["server_cpu_s"] / report["deliveries"] * 1e6}


class PingPong(Race):
    """Each side brings both ends: sockperf's client and server, netlab's bench and echo server."""

    def __init__(self, transport):
        tcp = ["--tcp"] if transport == "tcp" else []
        command = ["server", "-i", "127.0.0.1", "-p", "{port}", *tcp]
        load = f"{transport.upper()} ping-pong, one 64-byte message at a time"
        super().__init__(f"sockperf-{transport}", load, "sockperf", "sockperf", command, transport == "udp")
        self.transport, self.tcp = transport, tcp

    def netlab(self, netlab, secs):
        kind = f"{self.transport}-echo"
        one = ["--connections", "1"] if self.tcp else ["--window", "1"]
        with start_netlab(netlab, kind, "server", udp=self.udp) as server:
            latency = bench(netlab, kind, server, max(1, round(secs)), *one)["latency"]
            return {"round trip p50 (us)": latency["p50_us"], "round trip p99 (us)": latency["p99_us"]}

    def other(self, _netlab, secs):
        secs = max(1, round(secs))
        with self.start_peer() as server:
            words = ["ping-pong", "-i", "127.0.0.1", "-p", str(server.port), "-t", str(secs)]
            out = run([found(self.program), *words, "--msg-size", "64", "--full-rtt", *self.tcp], secs)
        return {f"round trip p{p} (us)": float(re.search(rf"percentile {p}\.000 =\s*([\d.]+)", out)[1])
                for p in (50, 99)}


class Bulk(Race):
    """iperf3 --bidir moves bytes both ways and looks at none; netlab echoes them, and its bench compares each."""

    def __init__(self):
        command = ["-s", "-B", "127.0.0.1", "-p", "{port}"]
        super().__init__("iperf3", "bulk TCP, one connection, both ways", "iperf3 --bidir", "iperf3", command)

    def netlab(self, netlab, secs):
        with start_netlab(netlab, "tcp-echo", "server") as server:
            load = ["--connections", "1", "--depth", "16", "--size", "64k"]
            return {"MB/s each way": bench(netlab, "tcp-echo", server, max(1, round(secs)), *load)["mb_per_s"]}

    def other(self, _netlab, secs):
        secs = max(1, round(secs))
        with self.start_peer() as server:
            words = ["-c", "127.0.0.1", "-p", str(server.port), "-t", str(secs), "--bidir", "-J"]
            end = json.loads(run([found(self.program), *words], secs))["end"]
        ways = [end[way]["bits_per_second"] for way in ("sum_received", "sum_received_bidir_reverse")]
        return {"MB/s each way": sum(ways) / 2 / 8e6}


def found(program):
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")


def start_netlab(netlab, *words, udp=False, rate_limit=False):
    port = free_port(socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
    limits = ["--rate-limit", "0"] if rate_limit else []
    return Server([netlab, *words, f"127.0.0.1:{port}", *limits], port, udp)


def bench(netlab, kind, server, secs, *load):
    command = [netlab, "bench", kind, server.address, "-t", f"{secs}s", "--warm-up", f"{WARM_UP_S}s", *load, "-J"]
    return json.loads(run(command, secs))


SOCAT = ["TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=100", "PIPE"]
NCAT = ["-l", "-k", "127.0.0.1", "{port}", "-e", "/bin/cat"]
PYTHON = ["{here}/lean_echo.py", "{port}"]
REDIS = ["--bind", "127.0.0.1", "--port", "{port}", "--save", "", "--appendonly", "no"]

ALL = [
    *[TcpEcho(f"{name}-{depth}", peer, program, command, depth)
      for name, peer, program, command in (
          ("python", "Python, lean selectors", "python3", PYTHON),
          ("socat", "socat PIPE", "socat", SOCAT),
          ("ncat", "ncat -e /bin/cat", "ncat", NCAT))
      for depth in (1, 32)],
    PubSub("redis-server", "redis-server", REDIS, "redis"),
    PubSub("nats-server", "nats-server", ["-a", "127.0.0.1", "-p", "{port}"], "nats"),
    PubSub("mosquitto", "mosquitto", ["-p", "{port}"], "mqtt"),
    PingPong("udp"),
    PingPong("tcp"),
    Bulk(),
]
