"""Resets each connection at once."""
import socket
import struct
from common import each_client

each_client(lambda conn: conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)))
