"""What systemd is told: that the daemon is ready, that its event loop lives, that it stops. Without systemd, nothing.

Source: sd_notify(3).
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress


def tell(*lines: str) -> None:
    """Tell the supervisor, if there is one; whether it listens is its own affair."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    place = f"\0{address[1:]}" if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as notify:
        notify.setblocking(False)
        notify.sendto("\n".join(lines).encode(), place)


def ready() -> None:
    """Everything is open."""
    tell("READY=1", f"STATUS=serves, pid {os.getpid()}")


def reloading() -> None:
    """The configuration is read anew; `ready` follows."""
    tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def stopping() -> None:
    """The end has begun."""
    tell("STOPPING=1", "STATUS=lets transfers end")


async def keep_alive() -> None:
    """Say that the event loop turns, twice as often as the supervisor wants to hear it; a loop that is stuck does not,
    and the daemon is started again."""
    patience_us = int(os.environ.get("WATCHDOG_USEC", "0") or 0)
    if os.environ.get("WATCHDOG_PID") not in (None, str(os.getpid())) or not patience_us:
        return
    while True:
        tell("WATCHDOG=1")
        await asyncio.sleep(patience_us / 2_000_000)
