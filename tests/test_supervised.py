"""What systemd hears, over a socket like its own."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from uuutorrent import supervised


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_it_is_told_when_the_daemon_is_ready_and_when_it_ends(systemd: socket.socket) -> None:
    supervised.ready()
    assert systemd.recv(4096).startswith(b"READY=1\n")
    supervised.stopping()
    assert systemd.recv(4096).startswith(b"STOPPING=1\n")
    supervised.reloading()
    assert systemd.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")


async def test_it_hears_from_the_event_loop_in_time(systemd: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    alive = asyncio.create_task(supervised.keep_alive())
    for _ in range(3):
        assert await asyncio.to_thread(systemd.recv, 4096) == b"WATCHDOG=1"
    alive.cancel()


@pytest.mark.parametrize("pid", ["1", None])
async def test_nobody_waits_to_hear_from_it(pid: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000" if pid else "")
    monkeypatch.setenv("WATCHDOG_PID", pid or str(os.getpid()))
    async with asyncio.timeout(10):
        await supervised.keep_alive()


def test_without_a_supervisor_or_with_one_that_is_gone_nothing_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    supervised.ready()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    supervised.ready()
