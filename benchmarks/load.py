"""What the daemon costs while many torrents are active and people watch them: CPU of it and of its qBittorrent.

Run: python -m benchmarks.load [--torrents 50 500 2000] [--sessions 10] [--seconds 30]

Most of the torrents wait for seeders that never come; `MOVING` of them download slowly from a seeder on loopback, so
that there is something new to see each second. Every session shows the torrents.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import asyncssh

from benchmarks.machine import machine
from tests.stories.house import House
from tests.swarm import Swarm, make

MOVING = 20
MOVING_BPS = 20_000
BYTES = 4_000_000
SIDE_BY_SIDE = 8
"""Adds under way at once."""
TICK_HZ = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK_HZ


def memory_mib(pid: int) -> float:
    """Resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def engine_pid(house: House) -> int:
    """The daemon's own qBittorrent."""
    assert house.process is not None
    children = subprocess.run(["pgrep", "-P", str(house.process.pid)], capture_output=True, text=True, check=True)
    return int(children.stdout.split()[0])


async def fill(connection: asyncssh.SSHClientConnection, torrents: list[bytes]) -> None:
    """Add them all, a few at a time."""
    places = asyncio.Semaphore(SIDE_BY_SIDE)

    async def add(metainfo: bytes) -> None:
        async with places:
            done = await connection.run("add - --json", input=metainfo, encoding=None)
            assert done.returncode == 0, done.stderr

    async with asyncio.TaskGroup() as group:
        for metainfo in torrents:
            group.create_task(add(metainfo))


async def watch(process: asyncssh.SSHClientProcess[bytes]) -> None:
    """A person who looks at the torrents: everything painted is read."""
    process.stdin.write(b"2")
    while await process.stdout.read(65536):
        pass


async def measure(house: House, torrents: list[bytes], sessions: int, seconds: float) -> None:
    """Fill the house, let people watch, and print what it costs."""
    options = {"username": "ann", "client_keys": [str(house.key("ann"))], "known_hosts": None, "config": None}
    assert house.process is not None
    daemon, engine = house.process.pid, engine_pid(house)
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(asyncssh.connect("127.0.0.1", house.port, **options))
        await fill(connection, torrents)
        watchers = []
        for _ in range(sessions):
            person = await stack.enter_async_context(asyncssh.connect("127.0.0.1", house.port, **options))
            process = await person.create_process(term_type="xterm-256color", term_size=(120, 40), encoding=None)
            watchers.append(asyncio.create_task(watch(process)))
        await asyncio.sleep(10)
        begun, before = time.perf_counter(), (cpu_s(daemon), cpu_s(engine))
        await asyncio.sleep(seconds)
        took = time.perf_counter() - begun
        used = (cpu_s(daemon) - before[0]) / took, (cpu_s(engine) - before[1]) / took
        print(
            f"{len(torrents):5} torrents, {sessions} sessions: daemon {used[0]:.2f} of a core, "
            f"{memory_mib(daemon):.0f} MiB; qBittorrent {used[1]:.2f} of a core, {memory_mib(engine):.0f} MiB"
        )
        for watcher in watchers:
            watcher.cancel()


def main() -> None:
    """One fresh house per number of torrents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torrents", type=int, nargs="+", default=[50, 500, 2000])
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=30)
    given = parser.parse_args()
    print(machine())
    for number in given.torrents:
        with tempfile.TemporaryDirectory() as folder:
            seeds = Path(folder) / "seeds"
            seeds.mkdir()
            with Swarm(seeds) as swarm:
                moving = [swarm.share(f"moving {n}.mkv", BYTES, limit_bps=MOVING_BPS) for n in range(MOVING)]
                still = [make(seeds, f"still {n}.mkv", 20_000) for n in range(number - MOVING)]
                house = House(Path(folder) / "house", extra="").start()
                house.add_user("ann")
                house.stop()
                config = (house.home / "config.toml").read_text()
                (house.home / "config.toml").write_text(config.replace("[torrents]", "[torrents]\nquota_torrents = 0"))
                house.start()
                torrents = [made.metainfo for made in (*moving, *still)]
                asyncio.run(measure(house, torrents, given.sessions, given.seconds))
                house.stop()


if __name__ == "__main__":
    main()
