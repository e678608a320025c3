"""What asyncssh leaves to the socket: quick answers until somebody is signed in, a bound on what is heard until then,
and knowing that a client does not read.

This is the one module that reaches into asyncssh's connection; it sets attributes of single instances and nothing else.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress

import asyncssh

NOTSENT_LOWAT = 16 * 1024
"""Unsent bytes the kernel may hold before the socket counts as full: what waits here can still be replaced."""

BEFORE_SIGN_IN = 64 * 1024
"""Bytes that a client may send until it is signed in; a handshake and ten keys with certificates are about 30 KiB.
Each packet costs some 50 us, and a megabyte of empty ones, which cost the client nothing, would stop us for seconds."""

_INFO = struct.Struct("=120xQQ")


def answer_quickly(conn: asyncssh.SSHServerConnection, *, until: Callable[[], bool]) -> None:
    """Acknowledge each packet at once until `until()` holds: delayed acknowledgements add 40 ms per step of OpenSSH's
    key exchange, and the kernel forgets the wish after every packet. Who sends too much until then is hung up on."""
    receive = conn.data_received
    sock = conn.get_extra_info("socket")
    left = BEFORE_SIGN_IN

    def received(data: bytes, datatype: int | None = None) -> None:
        nonlocal left
        _set(sock, socket.TCP_QUICKACK, 1)
        left -= len(data)
        if until():
            del conn.data_received  # the class's own again
        elif left < 0:
            conn.abort()
            return
        receive(data, datatype)

    _set(sock, socket.TCP_QUICKACK, 1)
    conn.data_received = received  # type: ignore[method-assign]  # the transport looks it up on each packet


def tell_when_full(conn: asyncssh.SSHServerConnection, tell: Callable[[bool], None]) -> None:
    """Call `tell(True)` when the socket is full and `tell(False)` when it has drained.

    asyncssh's own connection ignores both, and then a client that stops reading makes the daemon hold what it does not
    take: the channel's window bounds one channel, not what is waiting below all of them.
    """
    _set(conn.get_extra_info("socket"), socket.TCP_NOTSENT_LOWAT, NOTSENT_LOWAT)
    transport = conn._transport
    assert transport is not None
    transport.set_write_buffer_limits(high=2 * NOTSENT_LOWAT, low=NOTSENT_LOWAT // 2)
    conn.pause_writing = lambda: tell(True)  # type: ignore[method-assign]
    conn.resume_writing = lambda: tell(False)  # type: ignore[method-assign]


def carried(conn: asyncssh.SSHServerConnection) -> tuple[int, int]:
    """Bytes that the client has taken, and bytes that came from it, with all that goes around them.

    Source: tcp(7) and struct tcp_info of linux/tcp.h, tcpi_bytes_acked and tcpi_bytes_received.
    """
    sock = conn.get_extra_info("socket")
    try:
        told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
        sent, received = _INFO.unpack(told)
    except (OSError, struct.error):  # it is gone, or an old kernel tells less
        return 0, 0
    return sent, received


def let_go(conn: asyncssh.SSHServerConnection) -> None:
    """Undo both: a closed connection should not be kept by what was to be told."""
    for name in ("data_received", "pause_writing", "resume_writing"):
        conn.__dict__.pop(name, None)


def _set(sock: socket.socket, option: int, value: int) -> None:
    with suppress(OSError):  # the client is gone; the transport will say so
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
