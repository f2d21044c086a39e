"""Listens on every interface, and on another port than it was told."""
from common import each_client, echo, listener

each_client(echo, listener("0.0.0.0", 0))
