"""Writes append to the record, where they should replace it."""
# exercise: records
# class: none
import json
import os
import re
import selectors
import socket
import sys
import time

FOLDER = os.environ["FILE_PATH"]


def error(code):
    return "ERROR", {"code": code, "message": code}


def path_of(client_id):
    return os.path.join(FOLDER, client_id + ".txt")


def write(client_id, text):
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    with open(path_of(client_id), "a", encoding="utf-8", newline="") as file:
        file.write(f"Last updated: {now}\n{text}")
    return "RECORD_WRITTEN", {"client_id": client_id, "updated": now}


def read(client_id):
    try:
        with open(path_of(client_id), "rb") as file:
            first, text = file.read().decode().split("\n", 1)
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


sel = selectors.DefaultSelector()
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
sel.register(listener, selectors.EVENT_READ)
clients = {}


def serve(conn):
    data = conn.recv(2048)
    if not data:
        raise ConnectionError("end")
    buffer = clients[conn] = clients[conn] + data
    while len(buffer) >= 2 and len(buffer) >= 2 + int.from_bytes(buffer[:2], "big"):
        end = 2 + int.from_bytes(buffer[:2], "big")
        kind, content = answer(buffer[2:end])
        reply = json.dumps({"type": kind, "data": content}, ensure_ascii=False).encode()
        conn.sendall(len(reply).to_bytes(2, "big") + reply)
        buffer = clients[conn] = buffer[end:]


while True:
    for key, _ in sel.select():
        conn = key.fileobj
        if conn is listener:
            conn, _ = listener.accept()
            clients[conn] = b""
            sel.register(conn, selectors.EVENT_READ)
            continue
        try:
            serve(conn)
        except ConnectionError:
            sel.unregister(conn)
            del clients[conn]
            conn.close()
