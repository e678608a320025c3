"""The two servers that `benchmarks.files` sets side by side: this port in a process of its own, and the real sshd.

Started as a module it is the first of them: it serves FOLDER/downloads to `ann` over real services with an engine in
memory, says its port, and answers each line on stdin with what its event loop did since the last one.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import percentile
from tests.desks import Built, built
from tests.ports import free_port
from tests.stories.hatchery import die_with_parent
from tests.torrents import metainfos
from uuutorrent import config, logs
from uuutorrent.accounts import Operator, User
from uuutorrent.daemon import GC_THRESHOLDS
from uuutorrent.ssh.server import HOST_KEY, serve
from uuutorrent.store.database import Database
from uuutorrent.store.tables import Base

BIG, MANY, SMALL = "big", "many", "small"
"""What there is to fetch: a folder with one big file, one of 10,000 tiny files, one of 1,000 files of 100 KB."""
LAG_EVERY_S = 0.005
PASSWORD = "plain horses battery staple"
ROOM = {
    "host": "127.0.0.1",
    "port": 0,
    "connections_per_user": 64,
    "startups_begin": 100,
    "startups_full": 200,
    "startups_per_source": 64,
}
"""Everybody comes from one address, as one user, at the same moment."""


@dataclass
class Group:
    """A control group for a server and all that it starts: what it used of the CPU, and how slow its disk is."""

    name: str
    cpu: Path | None
    blkio: Path | None

    def join(self) -> None:
        """Put the process that calls this into it; for between fork and exec."""
        die_with_parent()
        for folder in (self.cpu, self.blkio):
            if folder is not None:
                (folder / "cgroup.procs").write_text(str(os.getpid()))

    def cpu_s(self) -> float:
        """CPU seconds used by everything that was ever in it; not a number where this cannot be told."""
        if self.cpu is None:
            return float("nan")
        if (old := self.cpu / "cpuacct.usage").exists():
            return int(old.read_text()) / 1e9
        return int((self.cpu / "cpu.stat").read_text().split()[1]) / 1e6

    def slow_disk(self, device: str, *, bps: int, iops: int) -> None:
        """From now on reads come as from a disk that gives so much. 0: as fast as it is.

        Raises:
            OSError: this machine has no such control group.
        """
        if self.blkio is None:
            raise OSError("there is no control group for disks here (cgroup v1, blkio)")
        (self.blkio / "blkio.throttle.read_bps_device").write_text(f"{device} {bps}")
        (self.blkio / "blkio.throttle.read_iops_device").write_text(f"{device} {iops}")


@contextmanager
def group(name: str) -> Iterator[Group]:
    """A control group while it is open, as far as this machine lets us make one."""
    top = Path("/sys/fs/cgroup")
    cpu = _made(top / "cpuacct" if (top / "cpuacct").exists() else top, name)
    made = Group(name, cpu, _made(top / "blkio", name) if (top / "blkio").exists() else None)
    try:
        yield made
    finally:
        for folder in (made.cpu, made.blkio):
            if folder is not None:
                with suppress(OSError):  # something in it is not gone yet
                    folder.rmdir()


def _made(parent: Path, name: str) -> Path | None:
    folder = parent / f"uuu-bench-{os.getpid()}-{name}"
    try:
        folder.mkdir()
    except OSError:
        return None
    return folder


@dataclass
class Server:
    """A server under test: where it listens, who may come, and what a path is called there."""

    name: str
    user: str
    port: int
    root: str
    host_key: Path
    group: Group
    process: subprocess.Popen[str]

    def ask(self) -> Mapping[str, float]:
        """What the event loop did since this was asked last; nothing of sshd."""
        if self.process.stdin is None or self.process.stdout is None:
            return {}
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answered: dict[str, float] = json.loads(self.process.stdout.readline())
        return answered

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


def start_ours(home: Path, key: Path, in_group: Group, *, python: str = sys.executable) -> Server:
    """This port, over `home`."""
    with (home.parent / "ours.log").open("w") as log:
        process = subprocess.Popen(
            [python, "-m", "benchmarks.fileservers", str(home), str(key)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            preexec_fn=in_group.join,
        )
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    return Server("ours", "ann", said["port"], said["root"], home / "data" / HOST_KEY, in_group, process)


def start_sshd(home: Path, key: Path, root: Path, in_group: Group) -> Server:
    """The distribution's sshd with its own sftp-server, and the same files."""
    port, host_key, allowed = free_port(), home / "sshd_key", home / "authorized_keys"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", host_key], check=True)
    shutil.copyfile(f"{key}.pub", allowed)
    Path("/run/sshd").mkdir(exist_ok=True)
    options = [
        f"HostKey={host_key}", f"AuthorizedKeysFile={allowed}", "StrictModes=no", "UsePAM=no", "PidFile=none",
        "MaxStartups=100", "Subsystem=sftp /usr/lib/openssh/sftp-server",
    ]  # fmt: skip
    process = subprocess.Popen(
        ["/usr/sbin/sshd", "-D", "-e", "-f", "/dev/null", "-p", str(port), "-o", "ListenAddress=127.0.0.1"]
        + [word for option in options for word in ("-o", option)],
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=in_group.join,
    )
    _until_listening(port)
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    return Server("sshd", user, port, str(root), host_key, in_group, process)


def _until_listening(port: int) -> None:
    for _ in range(300):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on {port}")


class Lag:
    """How late timers are run."""

    def __init__(self) -> None:
        self.late: list[float] = []

    async def run(self) -> None:
        """Look for ever."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(LAG_EVERY_S)
            self.late.append(time.perf_counter() - began - LAG_EVERY_S)

    def told(self) -> Mapping[str, float]:
        """Since the last time, in milliseconds."""
        late, self.late = [each * 1000 for each in self.late] or [0.0], []
        resident_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"p50": percentile(late, 50), "p99": percentile(late, 99), "max": max(late), "peak_mib": resident_mib}


async def give(here: Built, user: User, folder: Path) -> None:
    """Make a folder of files a finished torrent of theirs."""
    added = await here.services.library.add_given(user, metainfos.several(folder.name, _sizes(folder)))
    here.engine.complete(added.infohash)
    _move(folder, Path(here.engine.get(added.infohash).save_path))


def _sizes(folder: Path) -> dict[str, int]:
    return {str(file.relative_to(folder)): file.stat().st_size for file in folder.rglob("*")}


def _move(folder: Path, into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    folder.rename(into / folder.name)


async def run_ours(home: Path, key: str, folders: Sequence[Path]) -> None:
    """Serve these folders to whoever has the key, until stdin ends."""
    logs.configure(config.Server(data_dir=home / "data"))
    async with Database(f"sqlite+aiosqlite:///{home}/uuutorrent.db") as database:
        async with database.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with built(database, home, ssh=ROOM) as here:
            services = here.services
            ann = await services.accounts.create(Operator(), "ann", password=PASSWORD)
            await services.accounts.add_key(ann, key)
            for folder in folders:
                await give(here, ann, folder)
            await services.live.refresh()
            await services.library.reconcile()
            settle_memory()
            async with serve(services.config, services) as server:
                top = [entry.name for entry in await services.files.list(ann, "/")]
                print(json.dumps({"port": server.port, "root": "" if BIG in top else "/torrents"}), flush=True)
                await answer_questions()


async def answer_questions() -> None:
    """One line for each line on stdin, until there are no more."""
    lag = Lag()
    looking = asyncio.create_task(lag.run(), name="lag")
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(lag.told()), flush=True)
    looking.cancel()


def settle_memory() -> None:
    """As the daemon does once everything is open."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def main() -> None:
    """HOME, with what to serve in HOME/files, and the key of whoever may come."""
    home, key = Path(sys.argv[1]), Path(f"{sys.argv[2]}.pub")
    asyncio.run(run_ours(home, key.read_text(), sorted((home / "files").iterdir())))


if __name__ == "__main__":
    main()
