"""A request, its answer, the next one."""
# exercise: records
import json
import socket
import sys

SHOWN = {
    "RECORD_WRITTEN": ["client_id", "updated"], "RECORD": ["client_id", "updated", "text"],
    "ERROR": ["code", "message"],
}


def exactly(sock, size):
    data = bytearray()
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            sys.exit("the server has gone")
        data += more
    return bytes(data)


def answer(sock):
    """The next message that is an answer."""
    while True:
        size = int.from_bytes(exactly(sock, 2), "big")
        payload = exactly(sock, size)
        try:
            message = json.loads(payload)
        except ValueError:
            continue
        if message["type"] in SHOWN:
            return message


with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    for line in sys.stdin:
        words = line.rstrip("\n").split(" ", 2)
        data = dict(zip(["client_id", "text"], words[1:]))
        request = json.dumps({"type": words[0], "data": data}).encode()
        sock.sendall(len(request).to_bytes(2, "big") + request)
        message = answer(sock)
        values = [message["data"][name] for name in SHOWN[message["type"]]]
        print(message["type"], *values, flush=True)
