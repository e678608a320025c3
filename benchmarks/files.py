"""Figures of the file door beside the distribution's sshd: on this machine, in the same run, taken in turn; medians.

    python -m benchmarks.files throughput    each client, one stream: MB/s, server CPU-seconds per GB, ratio
    python -m benchmarks.files streams       1, 4 and 8 downloads at once
    python -m benchmarks.files folders       a listing of 10,000 entries, and 1,000 small files
    python -m benchmarks.files lag           the event loop and key press to paint while clients pull
    python -m benchmarks.files cold          the same from a slow disk whose pages are thrown out of memory all along

Clients share the machine with the server. `cold` needs root, cgroup v1 and a disk that is a block device.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from benchmarks import fileclients as clients
from benchmarks.fileclients import CHACHA, CTR, GCM, LISTING, SMALL_FILES, Order, Seat
from benchmarks.fileservers import BIG, MANY, SMALL, Server, group, start_ours, start_sshd
from benchmarks.machine import machine, percentile

MIB = 2**20
SLOW_BPS, SLOW_IOPS = 150_000_000, 200
"""A slow disk."""
ONE_STREAM: Mapping[str, Order] = {
    "sftp aes128-gcm": clients.sftp(GCM),
    "sftp chacha20": clients.sftp(CHACHA),
    "sftp aes256-ctr": clients.sftp(CTR),
    "scp aes128-gcm": clients.scp,
    "lftp aes128-gcm": clients.lftp(),
    "rclone": clients.rclone(f"{BIG}/file", "file"),
    "curl": clients.curl,
    "psftp": clients.psftp,
}


@dataclass
class Taken:
    """What runs of one thing against one server took."""

    seconds: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    trouble: str = ""

    def told(self, size_bytes: int) -> str:
        """In words: MB/s, and CPU-seconds per GB."""
        if self.trouble:
            return self.trouble[:40]
        gb = size_bytes / 1e9
        return f"{size_bytes / 1e6 / self.median_s:5.0f} MB/s ({statistics.median(self.cpu_s) / gb:.2f})"

    @property
    def median_s(self) -> float:
        """Seconds, the median."""
        return statistics.median(self.seconds)


@dataclass
class Bench:
    """Both servers and a seat for the clients."""

    ours: Server
    sshd: Server
    seat: Seat
    runs: int
    file_bytes: int

    def compare(self, order: Order, streams: int = 1) -> tuple[Taken, Taken]:
        """The same from both, in turn; sshd goes first in every other run."""
        ours, sshd = Taken(), Taken()
        for n in range(self.runs):
            for server, taken in ((self.ours, ours), (self.sshd, sshd))[:: -1 if n % 2 else 1]:
                self._take(order, server, taken, streams)
        return ours, sshd

    def _take(self, order: Order, server: Server, taken: Taken, streams: int) -> None:
        if taken.trouble:
            return
        shutil.rmtree(self.seat.scratch, ignore_errors=True)
        self.seat.scratch.mkdir()
        cpu, began = server.group.cpu_s(), time.perf_counter()
        processes = [clients.start(order(self.seat, server), self.seat) for _ in range(streams)]
        troubles = [trouble for process in processes if (trouble := clients.ended(process))]
        taken.seconds.append(time.perf_counter() - began)
        taken.cpu_s.append(server.group.cpu_s() - cpu)
        taken.trouble = troubles[0] if troubles else ""

    def row(self, title: str, order: Order, streams: int = 1) -> None:
        """Measure and print a line of the table."""
        ours, sshd = self.compare(order, streams)
        size = self.file_bytes * streams
        ratio = "" if ours.trouble or sshd.trouble else f"{sshd.median_s / ours.median_s:.2f} ×"
        print(f"{title:16} ours {ours.told(size):24} sshd {sshd.told(size):24} {ratio}", flush=True)

    def timed_row(self, title: str, order: Order) -> None:
        """The same for what has no size worth telling."""
        ours, sshd = self.compare(order)
        told = [taken.trouble or f"{taken.median_s:.2f} s" for taken in (ours, sshd)]
        print(f"{title:16} ours {told[0]}, sshd {told[1]}  {sshd.median_s / ours.median_s:.2f} ×", flush=True)


def throughput(bench: Bench) -> None:
    """One stream with each client."""
    for title, order in ONE_STREAM.items():
        bench.row(title, order)


def streams(bench: Bench) -> None:
    """Several at once."""
    for count in (1, 4, 8):
        bench.row(f"{count} × aes128-gcm", clients.sftp(GCM), count)


def folders(bench: Bench) -> None:
    """Listings and small files."""
    bench.timed_row("list 10,000", LISTING)
    for name, order in SMALL_FILES.items():
        bench.timed_row(f"1,000 by {name}", order)


def lag(bench: Bench) -> None:
    """What downloads do to everybody else."""
    for count in (0, 1, 4, 8):
        asyncio.run(_lag(bench, count, lambda: None))


def cold(bench: Bench) -> None:
    """The same while the file has to be read from a slow disk."""
    file = next(bench.seat.home.parent.rglob(f"{BIG}/file"))
    device = file.stat().st_dev
    bench.ours.group.slow_disk(f"{os.major(device)}:{os.minor(device)}", bps=SLOW_BPS, iops=SLOW_IOPS)
    with file.open("rb") as opened:

        def forget() -> None:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

        for count in (1, 4, 8):
            asyncio.run(_lag(bench, count, forget))


async def _lag(bench: Bench, count: int, each_turn: Callable[[], None]) -> None:
    """One line: so many clients pull again and again while one person presses keys."""
    async with _screen(bench) as typist:
        downloads = [clients.start(clients.sftp(GCM)(bench.seat, bench.ours), bench.seat) for _ in range(count)]
        began = time.perf_counter()
        await asyncio.sleep(1)
        bench.ours.ask()
        took: list[float] = []
        while time.perf_counter() < began + 15:
            each_turn()
            for n, process in enumerate(downloads):
                if process.poll() is not None:
                    downloads[n] = clients.start(clients.sftp(GCM)(bench.seat, bench.ours), bench.seat)
            took.append(await typist.press())
        loop = bench.ours.ask()
        for process in downloads:
            process.kill()
            process.wait()
    p50, p99 = percentile(took, 50), percentile(took, 99)
    print(
        f"{count} downloads: key to paint p50 {p50:.1f} p99 {p99:.1f} max {max(took):.1f} ms ({len(took)} keys);",
        f"loop lag p50 {loop['p50']:.1f} p99 {loop['p99']:.1f} max {loop['max']:.1f} ms;",
        f"peak {loop['peak_mib']:.0f} MiB",
        flush=True,
    )


class Typist:
    """Somebody at the torrents screen, who goes up and down."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._process = process
        self._down = True

    async def sees(self, text: bytes) -> None:
        """Wait for it."""
        seen = b""
        async with asyncio.timeout(60):
            while text not in seen:
                seen += await self._process.stdout.read(65536)

    async def press(self) -> float:
        """One key; milliseconds until the cursor is painted where it went."""
        with suppress(TimeoutError):  # what was painted for any other reason
            while True:
                async with asyncio.timeout(0.03):
                    await self._process.stdout.read(65536)
        began = time.perf_counter()
        self._process.stdin.write(b"j" if self._down else b"k")
        self._down = not self._down
        await self.sees("›".encode())
        return (time.perf_counter() - began) * 1000


@asynccontextmanager
async def _screen(bench: Bench) -> AsyncGenerator[Typist]:
    options = {"known_hosts": None, "client_keys": [str(bench.seat.key)], "config": None, "agent_path": None}
    async with asyncssh.connect("127.0.0.1", bench.ours.port, username="ann", **options) as connection:
        process = await connection.create_process(
            term_type="xterm-256color", term_size=(120, 40), encoding=None, stderr=asyncssh.STDOUT
        )
        typist = Typist(process)
        await typist.sees(b"Watchlist")
        process.stdin.write(b"2")
        await typist.sees("›".encode())
        yield typist


@contextmanager
def bench(runs: int, mib: int, *, small: bool) -> Iterator[Bench]:
    """Both servers over the same files, while it is open."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/dev/shm")))
        seat = Seat(home / "seat", home / "seat" / "key", scratch / "got")
        seat.home.mkdir()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", seat.key], check=True)
        _fill(home / "server" / "files", mib, small=small)
        ours = start_ours(home / "server", seat.key, stack.enter_context(group("ours")))
        stack.callback(ours.stop)
        root = next((home / "server").rglob(f"{BIG}/file")).parent.parent
        _gather(root, home / "server")
        sshd = start_sshd(home, seat.key, root, stack.enter_context(group("sshd")))
        stack.callback(sshd.stop)
        clients.prepare(seat, (ours, sshd))
        yield Bench(ours, sshd, seat, runs, mib * MIB)


def _fill(files: Path, mib: int, *, small: bool) -> None:
    (files / BIG).mkdir(parents=True)
    block = os.urandom(MIB)
    with (files / BIG / "file").open("wb") as file:
        for _ in range(mib):
            file.write(block)
    (files / SMALL).mkdir()
    (files / MANY).mkdir()
    for n in range(1000 if small else 1):
        (files / SMALL / f"{n:04}").write_bytes(block[:100_000])
    for n in range(10_000 if small else 1):
        (files / MANY / f"Show - {n:05} [1080p].mkv").write_bytes(b"x")


def _gather(root: Path, server: Path) -> None:
    """sshd shows each folder beside the others, wherever this port keeps it."""
    for name in (SMALL, MANY):
        place = next(found for found in server.rglob(name) if found.is_dir())
        if place.parent != root:
            (root / name).symlink_to(place)


MEASURES: Mapping[str, Callable[[Bench], None]] = {
    "throughput": throughput,
    "streams": streams,
    "folders": folders,
    "lag": lag,
    "cold": cold,
}


def main(given: Sequence[str] | None = None) -> None:
    """Measure, and name the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measures", choices=[*MEASURES, []], nargs="*")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--client", help="only this line of the throughput table")
    asked = parser.parse_args(given)
    print(f"{machine()}, load {os.getloadavg()[0]:.1f}")
    wanted = asked.measures or list(MEASURES)
    with bench(asked.runs, asked.mib, small="folders" in wanted) as opened:
        for name in wanted:
            print(f"\n{name}")
            if name == "throughput" and asked.client:
                opened.row(asked.client, ONE_STREAM[asked.client])
            else:
                MEASURES[name](opened)
    print(f"\nload {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
