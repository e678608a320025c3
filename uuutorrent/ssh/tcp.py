"""What asyncssh leaves to the socket: quick answers until somebody is signed in, bounds on what is heard and on what is
kept for who does not read, and knowing that a client does not read.

This is the one module that reaches into asyncssh's connection; it sets attributes of single instances and nothing else.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncssh

from uuutorrent.ssh.turns import Debt

NOTSENT_LOWAT = 16 * 1024
"""Unsent bytes the kernel may hold before the socket counts as full: what waits here can still be replaced."""

MUCH_NOTSENT_LOWAT = 256 * 1024
"""The same where files are fetched: 2 ms of a line of 1 Gbit/s."""

BEFORE_SIGN_IN = 64 * 1024
"""Bytes that a client may send until it is signed in; a handshake and ten keys with certificates are about 30 KiB.
Each packet costs some 50 us, and a megabyte of empty ones, which cost the client nothing, would stop us for seconds."""
AT_ONCE = 4 * 1024
"""Bytes that are taken in before everybody else has a turn; asyncssh lets go of the loop only when all is taken in."""
UNREAD_MAX = 1 << 20
"""Bytes that may wait for a client before it is not heard any more: each of its requests would add an answer."""
LOOK_AGAIN_S = 0.05
VARIABLES_MAX, VARIABLES_BYTES = 64, 16 * 1024
"""Variables of its environment that a client may send for one session, and bytes of them. The rest is dropped."""

_INFO = struct.Struct("=120xQQ")


def answer_quickly(
    conn: asyncssh.SSHServerConnection, *, until: Callable[[], bool], too_much: Callable[[], None]
) -> None:
    """Acknowledge each packet at once until `until()` holds: delayed acknowledgements add 40 ms per step of OpenSSH's
    key exchange, and the kernel forgets the wish after every packet. Who sends too much until then is hung up on, after
    `too_much()`."""
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
            too_much()
            conn.abort()
            return
        receive(data, datatype)

    _set(sock, socket.TCP_QUICKACK, 1)
    conn.data_received = received  # type: ignore[method-assign]  # the transport looks it up on each packet


def take_turns(conn: asyncssh.SSHServerConnection, whose: Callable[[], Debt]) -> None:
    """Take in a little at a time, listen no further while the debt of `whose()` is being paid off, nor while the client
    does not read what it is sent. TCP lets the client wait."""
    transport: Any = conn._transport  # `max_size` is the transport's own, and not in its type
    transport.max_size = AT_ONCE
    take_in = conn._recv_data
    loop, unheard_until = asyncio.get_running_loop(), 0.0

    def taken_in() -> None:
        nonlocal unheard_until
        began = time.thread_time()  # of ours alone: a machine that is busy otherwise is not the client's fault
        take_in()
        wait_s = whose().took(time.thread_time() - began)
        if wait_s or reads_not():
            was_unheard = unheard_until > 0
            unheard_until = max(unheard_until, loop.time() + wait_s)
            if not was_unheard:
                transport.pause_reading()
                listen_again()

    def reads_not() -> bool:
        return bool(transport.get_write_buffer_size() > UNREAD_MAX)

    def listen_again() -> None:
        nonlocal unheard_until
        left_s = unheard_until - loop.time()
        if transport.is_closing():
            return
        if left_s > 0 or reads_not():
            loop.call_later(left_s if left_s > 0 else LOOK_AGAIN_S, listen_again)
            return
        unheard_until = 0.0
        transport.resume_reading()

    conn._recv_data = taken_in  # type: ignore[method-assign]  # called for what came, and for what waited for an answer


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


def carry_much(conn: asyncssh.SSHServerConnection) -> None:
    """Files come through this connection: the kernel may hold more, so that the line is busy while others have their
    turn, and the socket counts as full as soon as anything waits for it here."""
    _set(conn.get_extra_info("socket"), socket.TCP_NOTSENT_LOWAT, MUCH_NOTSENT_LOWAT)
    if conn._transport is not None:
        conn._transport.set_write_buffer_limits(high=0)


def let_go(conn: asyncssh.SSHServerConnection) -> None:
    """Undo it all: a closed connection should not be kept by what was to be told."""
    for name in ("data_received", "pause_writing", "resume_writing", "_recv_data"):
        conn.__dict__.pop(name, None)


class _Variables(dict[bytes, bytes]):
    """An environment that does not grow for ever."""

    def __init__(self) -> None:
        super().__init__()
        self._left = VARIABLES_BYTES

    def __setitem__(self, name: bytes, value: bytes) -> None:
        size = len(name) + len(value)
        if (name in self or len(self) < VARIABLES_MAX) and size <= self._left:
            self._left -= size
            super().__setitem__(name, value)


def bound_environment(chan: asyncssh.SSHServerChannel[bytes]) -> None:
    """Keep only a few of the variables that a client sends."""
    chan._env = _Variables()


def _set(sock: socket.socket, option: int, value: int) -> None:
    with suppress(OSError):  # the client is gone; the transport will say so
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
