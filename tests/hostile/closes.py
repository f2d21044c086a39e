"""Closes each connection at once."""
from common import each_client

each_client(lambda conn: None)
