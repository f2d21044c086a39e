"""A record is read back as far as its first 1024 characters."""
# exercise: records
# class: truncates-long-message
import json
import os
import re
import socketserver
import struct
import sys
import tempfile
import threading
import time

FOLDER = os.environ["FILE_PATH"]
LOCK = threading.Lock()


def error(code):
    return "ERROR", {"code": code, "message": code}


def path_of(client_id):
    return os.path.join(FOLDER, client_id + ".txt")


def write(client_id, text):
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    with LOCK:
        handle, name = tempfile.mkstemp(dir=FOLDER)
        with os.fdopen(handle, "wb") as file:
            file.write(f"Last updated: {now}\n{text}".encode())
        os.replace(name, path_of(client_id))
    return "RECORD_WRITTEN", {"client_id": client_id, "updated": now}


def read(client_id):
    try:
        with LOCK, open(path_of(client_id), encoding="utf-8", newline="") as file:
            first, text = file.read(1024).split("\n", 1)
    except FileNotFoundError:
        return error("no_such_record")
    return "RECORD", {"client_id": client_id, "updated": first.removeprefix("Last updated: "), "text": text}


def answer(payload):
    try:
        message = json.loads(payload)
    except ValueError:
        return error("bad_json")
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return error("bad_message")
    if message["type"] not in ("RECORD_WRITE", "RECORD_READ"):
        return error("unknown_type")
    data = message.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("client_id"), str):
        return error("bad_message")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", data["client_id"]):
        return error("bad_record")
    if message["type"] == "RECORD_READ":
        return read(data["client_id"])
    if not isinstance(data.get("text"), str):
        return error("bad_message")
    return write(data["client_id"], data["text"])


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while len(head := self.rfile.read(2)) == 2:
            (size,) = struct.unpack("!H", head)
            payload = self.rfile.read(size)
            if len(payload) < size:
                return
            kind, data = answer(payload)
            reply = json.dumps({"type": kind, "data": data}, ensure_ascii=False).encode()
            self.wfile.write(struct.pack("!H", len(reply)) + reply)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
