"""Ports for programs that have to be told one before they listen."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A port of 127.0.0.1 that nothing else is given for as long as this process lives.

    It stays bound here without listening. Linux gives such a port to nobody who asks for any, nor to an outgoing
    connection, while a server that names it may listen on it, for servers set SO_REUSEADDR as we do here.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = int(held.getsockname()[1])
    held.detach()
    return port
