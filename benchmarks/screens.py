"""Figures of the screens: many sessions in one process, on transports that go nowhere.

    python -m benchmarks.screens memory          resident memory per further idle session
    python -m benchmarks.screens keys            key press to paint, and CPU, while 50 torrents change every second
    python -m benchmarks.screens flood           the same for neighbours of somebody who floods keys and pastes 10 MB
    python -m benchmarks.screens slow            what is held for a client that stops reading, and what it sees then
    python -m benchmarks.screens cycles          what 500 sessions leave behind

The services are real, over SQLite and an engine in memory. What SSH adds is measured elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import contextvars
import gc
import logging
import os
import random
import resource
import tempfile
import time
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from benchmarks.machine import machine, percentile
from tests.desks import built
from tests.fakes import FakeEngine
from tests.tui.screen import Glass
from uuutorrent.accounts import Operator, User
from uuutorrent.daemon import GC_THRESHOLDS
from uuutorrent.desk import Services
from uuutorrent.store.database import Database
from uuutorrent.store.tables import Base
from uuutorrent.torrents.library import REREAD_S
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.pace import Studio
from uuutorrent.tui.table import Table
from uuutorrent.tui.terminal import Terminal, TerminalInfo

TORRENTS = 50
PEOPLE = 8
SIZE = TerminalInfo(width=120, height=40)
HELD_MAX = 64 * 1024
PASSWORD = "plain horses battery staple"


class Far:
    """The far end: takes what is painted, and notices when a wanted piece of it arrives."""

    def __init__(self) -> None:
        self.sent = 0
        self.paused = False
        self.seen_at = 0.0
        self._wanted = b""
        self._arrived = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Count, and look."""
        self.sent += len(data)
        if self._wanted and self._wanted in data:
            self._wanted, self.seen_at = b"", time.perf_counter()
            self._arrived.set()

    async def sees(self, text: str) -> None:
        """Wait until a text is painted."""
        self._wanted = text.encode()
        self._arrived.clear()
        async with asyncio.timeout(60):
            await self._arrived.wait()

    def pause_reading(self) -> None:
        """Whoever floods waits."""
        self.paused = True

    def resume_reading(self) -> None:
        """And goes on."""
        self.paused = False


class Slow(Far):
    """A far end that can stop reading, behind a channel that says so when it holds too much."""

    def __init__(self) -> None:
        super().__init__()
        self.glass = Glass(*SIZE.size)
        self.held = b""
        self.reads = True
        self.session: Session | None = None

    def write(self, data: bytes) -> None:
        """Show it, or hold it."""
        super().write(data)
        if self.reads:
            self.glass.write(data)
            return
        self.held += data
        if len(self.held) > HELD_MAX and self.session is not None:
            self.session.terminal.set_blocked(True)

    def read_on(self) -> None:
        """Read what was held, and go on."""
        self.reads = True
        self.glass.write(self.held)
        self.held = b""
        if self.session is not None:
            self.session.terminal.set_blocked(False)


@dataclass
class Session:
    """One person's session."""

    app: UuuApp
    terminal: Terminal
    far: Far
    task: asyncio.Task[None]


@dataclass
class House:
    """Services with people who all watch the same torrents."""

    services: Services
    engine: FakeEngine
    people: list[User]
    hashes: list[str]
    studio: Studio = field(default_factory=Studio)
    tick: int = 0

    async def open(self, n: int, far: Far | None = None) -> Session:
        """A session on the torrents screen, once it is painted."""
        far = far or Far()
        terminal = Terminal(SIZE, far)
        app = UuuApp(self.services.desk(self.people[n % PEOPLE]), terminal, self.studio)
        run = app.run_async(size=terminal.size)
        task = asyncio.get_running_loop().create_task(run, context=contextvars.Context())
        terminal.feed(b"2")
        await far.sees("› ")
        return Session(app, terminal, far, task)

    async def change(self) -> None:
        """Every torrent is different, once a second."""
        while True:
            self.tick += 1
            for n, infohash in enumerate(self.hashes):
                done = (self.tick * 7 + n * 13) % 1000 / 1000
                self.engine.progress(infohash, done, down_bps=100_000 + (self.tick * 37 + n) % 97 * 10_000)
            await asyncio.sleep(1)


@asynccontextmanager
async def house() -> AsyncGenerator[House]:
    """The services, with people and their torrents."""
    with tempfile.TemporaryDirectory() as home:
        async with Database(f"sqlite+aiosqlite:///{home}/uuutorrent.db") as database:
            async with database.engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
            async with built(database, Path(home)) as opened:
                accounts, library = opened.services.accounts, opened.services.library
                people = [await accounts.create(Operator(), f"ann{n}", password=PASSWORD) for n in range(PEOPLE)]
                hashes = [f"{n:040x}" for n in range(1, TORRENTS + 1)]
                for n, infohash in enumerate(hashes):
                    name = f"[Group] Some Show With A Long Name {n} - 07 (1080p) [ABCD1234].mkv"
                    for user in people:
                        await library.add_given(user, f"magnet:?xt=urn:btih:{infohash}&dn={n}")
                    opened.engine.metadata(infohash, name, {name: 1_400_000_000})
                # As the daemon does once everything is open.
                gc.collect()
                gc.freeze()
                gc.set_threshold(*GC_THRESHOLDS)
                yield House(opened.services, opened.engine, people, hashes)


@asynccontextmanager
async def changing(house: House) -> AsyncGenerator[None]:
    """While it is open, every torrent changes once a second."""
    task = asyncio.create_task(house.change())
    try:
        yield
    finally:
        task.cancel()


async def leave(sessions: Sequence[Session]) -> None:
    """End them all."""
    for session in sessions:
        session.app.leave()
    await asyncio.wait([session.task for session in sessions])


async def memory(counts: Sequence[int], _seconds: float) -> None:
    """Resident memory per further session that looks at torrents standing still."""
    async with house() as here:
        sessions: list[Session] = []
        before: tuple[int, float] | None = None
        for count in sorted({1, *counts}):
            started = time.perf_counter()
            opened = len(sessions)
            while len(sessions) < count:
                sessions.append(await here.open(len(sessions)))
            paint_ms = (time.perf_counter() - started) * 1000 / max(1, count - opened)
            await asyncio.sleep(1)
            gc.collect()
            resident = resident_mib()
            more = f"{(resident - before[1]) / (count - before[0]):.2f} MiB per further session" if before else ""
            print(f"{count:4} sessions: {resident:6.1f} MiB  {more}  first paint {paint_ms:.0f} ms")
            before = (count, resident)
        await leave(sessions)


async def keys(counts: Sequence[int], seconds: float) -> None:
    """Key press to paint and CPU, while everybody watches torrents that all change every second."""
    async with house() as here:
        sessions: list[Session] = []
        for count in sorted(counts):
            while len(sessions) < count:
                sessions.append(await here.open(len(sessions)))
            async with changing(here):
                await asyncio.sleep(3)
                cpu = await cpu_share(seconds)
                print(f"{count:4} sessions: {await pressed(sessions, seconds)}  CPU {cpu:.2f} of a core")
        await leave(sessions)


async def flood(counts: Sequence[int], seconds: float) -> None:
    """Key press to paint of everybody else while one floods: with keys, with junk, with a paste of 10 MB."""
    floods = {
        "nobody": b"",
        "keys": b"jk" * 4096,
        "broken sequences": b"\x1b[9;9;9" * 1024,
        "mouse": b"\x1b[<35;10;10M\x1b[<35;11;12M" * 512,
        "paste": b"\x1b[200~" + b"x" * (10 << 20) + b"\x1b[201~",
    }
    async with house() as here, changing(here):
        sessions = [await here.open(n) for n in range(max(counts))]
        for kind, data in floods.items():
            flooding = asyncio.create_task(pour(sessions[0], data))
            await asyncio.sleep(1)
            print(f"{len(sessions)} sessions, one floods ({kind}): {await pressed(sessions[1:], seconds)}")
            flooding.cancel()
            await asyncio.wait({flooding})
        await leave(sessions)


async def slow(_counts: Sequence[int], seconds: float) -> None:
    """What is held for a client that stops reading, and whether it sees the right picture when it reads again."""
    async with house() as here:
        far, fresh = Slow(), Slow()
        far.session = session = await here.open(0, far)
        async with changing(here):
            await asyncio.sleep(2)
            far.reads = False
            await asyncio.sleep(seconds)
        held = len(far.held)
        far.read_on()
        other = await here.open(0, fresh)
        await asyncio.sleep(3)
        same = [a == b for a, b in zip(far.glass.lines[2:30], fresh.glass.lines[2:30], strict=True)]
        print(f"held {held / 1024:.0f} KiB after {seconds:.0f} s of not reading")
        print(f"{sum(same)} of {len(same)} lines then as a fresh session sees them")
        await leave([session, other])


async def cycles(_counts: Sequence[int], _seconds: float) -> None:
    """500 sessions opened and ended in four ways: what stays."""
    ends: Sequence[Callable[[Session], object]] = (
        lambda session: session.terminal.feed(b"q"),
        lambda session: session.app.leave("Bye."),
        lambda session: session.task.cancel(),
        lambda session: session.app.call_later(divmod, 1, 0),
    )
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    async with house() as here:
        gone: list[weakref.ref[UuuApp]] = []
        for n in range(500):
            session = await here.open(n)
            session.terminal.feed(b"jk")
            ends[n % len(ends)](session)
            await asyncio.wait({session.task})
            gone.append(weakref.ref(session.app))
            del session
            if n + 1 in (100, 200, 300, 400, 500):
                await asyncio.sleep(0.2)
                gc.collect()
                alive = sum(1 for app in gone if app() is not None)
                print(f"{n + 1:4} cycles: {resident_mib():6.1f} MiB, {alive} apps alive")
        # A cancelled timer keeps its context, and so its app, until its time has come.
        await asyncio.sleep(REREAD_S + 5)
        gc.collect()
        print(f"{sum(1 for app in gone if app() is not None)} apps alive {REREAD_S + 5:.0f} s later")


async def pressed(sessions: Sequence[Session], seconds: float) -> str:
    """Press keys in sessions taken at random; how long each took to be painted."""
    took: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        session = random.choice(sessions)
        table = session.app.screen.query_one(Table)
        place = next(n for n, row in enumerate(table.rows) if row.key == table.key)
        down = place < TORRENTS // 3
        began = time.perf_counter()
        session.terminal.feed(b"j" if down else b"k")
        row = table.rows[place + (1 if down else -1)]
        await session.far.sees(f"› {str(row.cells[0])[:12]}")
        took.append((session.far.seen_at - began) * 1000)
        await asyncio.sleep(random.random() * 0.05)
    p50, p95 = (percentile(took, percent) for percent in (50, 95))
    return f"key to paint p50 {p50:5.1f} ms  p95 {p95:5.1f} ms  max {max(took):5.1f} ms ({len(took)} keys)"


async def cpu_share(seconds: float) -> float:
    """CPU of this process over some time, in cores."""
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    return (time.process_time() - cpu) / (time.perf_counter() - wall)


async def pour(session: Session, data: bytes) -> None:
    """Send as fast as the session takes it."""
    while data:
        for at in range(0, len(data), 32 * 1024):
            while session.far.paused:  # noqa: ASYNC110 - it is only looked at
                await asyncio.sleep(0.001)
            session.terminal.feed(data[at : at + 32 * 1024])
            await asyncio.sleep(0)


def resident_mib() -> float:
    """What the process occupies now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


MEASURES: dict[str, Callable[[Sequence[int], float], Awaitable[None]]] = {
    "memory": memory,
    "keys": keys,
    "flood": flood,
    "slow": slow,
    "cycles": cycles,
}
DEFAULTS = {"memory": (10, 50, 100, 200), "keys": (1, 50, 100, 200), "flood": (20,)}


async def main() -> None:
    """Measure one thing, and name the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measure", choices=MEASURES)
    parser.add_argument("--sessions", type=int, nargs="+")
    parser.add_argument("--seconds", type=float, default=15)
    given = parser.parse_args()
    print(f"{machine()}, load {os.getloadavg()[0]:.1f}")
    await MEASURES[given.measure](given.sessions or DEFAULTS.get(given.measure, (1,)), given.seconds)


if __name__ == "__main__":
    asyncio.run(main())
