"""Load on a room or topic, in four protocols: one publisher, many members, a window of messages in flight.

usage: pubsub.py redis|nats|mqtt|netlab PORT SERVER_GROUP MEMBERS WINDOW SECONDS
prints one JSON object: deliveries, seconds, and the processor time of the server's process group meanwhile.

The generator is slower than the servers. That is why nobody should compare rates made with it; the server's
processor time per delivery does not depend on it as long as the same generator drives both sides.
"""

import json
import selectors
import socket
import struct
import sys
import time

from processes import cpu_seconds

MARKER = b"#MARKER#"
TEXT = MARKER + b"x" * 72
WARM_UP_S = 0.2
PATIENCE_S = 5


def mqtt(kind, body):
    """An MQTT 3.1.1 packet; bodies here are shorter than 128 bytes, so their length is one byte."""
    assert len(body) < 128
    return bytes([kind, len(body)]) + body


def mqtt_string(text):
    return struct.pack("!H", len(text)) + text


def frame(message):
    payload = json.dumps(message).encode()
    return struct.pack("!H", len(payload)) + payload


class Redis:
    # A connection that subscribes may not publish (RESP2): the publisher is nobody's member.
    publisher_is_member = False

    def join(self, _number):
        return b"SUBSCRIBE room\r\n", b"subscribe"

    def publish(self):
        return b"*3\r\n$7\r\nPUBLISH\r\n$4\r\nroom\r\n$%d\r\n%s\r\n" % (len(TEXT), TEXT)


class Nats:
    publisher_is_member = True

    def join(self, _number):
        return b'CONNECT {"verbose":false}\r\nSUB room 1\r\nPING\r\n', b"PONG\r\n"

    def publish(self):
        return b"PUB room %d\r\n%s\r\n" % (len(TEXT), TEXT)


class Mqtt:
    publisher_is_member = True

    def join(self, number):
        name = mqtt_string(b"member%d" % number)
        connect = mqtt(0x10, mqtt_string(b"MQTT") + b"\x04\x02\x00\x00" + name)
        subscribe = mqtt(0x82, b"\x00\x01" + mqtt_string(b"room") + b"\x00")
        return connect + subscribe, b"\x90\x03\x00\x01\x00"

    def publish(self):
        return mqtt(0x30, mqtt_string(b"room") + TEXT)


class Netlab:
    publisher_is_member = True

    def join(self, _number):
        return frame({"type": "ROOM_JOIN", "data": {"room": "race", "create": True}}), b"ROOM_JOINED"

    def publish(self):
        return frame({"type": "ROOM_ECHO", "data": {"text": TEXT.decode()}})


class Member:
    """A connection, and how many messages it was delivered."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tail = b""
        self.delivered = 0

    def join(self, request, answer):
        self.socket.sendall(request)
        got = b""
        while answer not in got:
            piece = self.socket.recv(65536)
            if not piece:
                raise RuntimeError(f"closed instead of {answer!r}: {got[-200:]!r}")
            got += piece

    def read(self):
        data = self.socket.recv(262144)
        if not data:
            raise RuntimeError("the server closed a connection")
        data = self.tail + data
        self.delivered += data.count(MARKER)
        # A marker may be cut in two; a whole one at the end must not be counted again.
        end = data.rfind(MARKER)
        self.tail = data[max(len(data) - len(MARKER) + 1, 0 if end < 0 else end + len(MARKER)):]


def drive(members, publisher, message, window, until, published):
    """Publishes until then, `window` messages in flight at most; returns how many were published in all."""
    selector = selectors.DefaultSelector()
    for member in members:
        selector.register(member.socket, selectors.EVENT_READ, member)
    if publisher not in members:
        # Its answers are not deliveries, but somebody has to read them.
        selector.register(publisher.socket, selectors.EVENT_READ, publisher)
    last = time.monotonic()
    while True:
        now = time.monotonic()
        slowest = min(member.delivered for member in members)
        if now >= until and slowest == published:
            selector.close()
            return published
        room = window - (published - slowest)
        if room > 0 and now < until:
            publisher.socket.sendall(message * room)
            published += room
        ready = selector.select(timeout=1)
        if ready:
            last = now
        elif now - last > PATIENCE_S:
            raise RuntimeError(f"{published} published, a member was delivered {slowest}")
        for key, _ in ready:
            key.data.read()


def main():
    protocol = {"redis": Redis, "nats": Nats, "mqtt": Mqtt, "netlab": Netlab}[sys.argv[1]]()
    port, group, count, window = map(int, sys.argv[2:6])
    members = [Member(port) for _ in range(count)]
    for number, member in enumerate(members):
        member.join(*protocol.join(number))
    publisher = members[0] if protocol.publisher_is_member else Member(port)
    message = protocol.publish()
    published = drive(members, publisher, message, window, time.monotonic() + WARM_UP_S, 0)
    cpu, start = cpu_seconds(group), time.monotonic()
    before = published
    published = drive(members, publisher, message, window, start + float(sys.argv[6]), published)
    report = {
        "deliveries": (published - before) * count,
        "seconds": time.monotonic() - start,
        "server_cpu_s": cpu_seconds(group) - cpu,
    }
    print(json.dumps(report))


main()
