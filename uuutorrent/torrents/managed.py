"""The daemon's own qBittorrent: set up before its first start, kept alive, and gone when the daemon is gone."""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import secrets
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import structlog

from uuutorrent.config import Config
from uuutorrent.errors import BadConfig
from uuutorrent.tally import Tally
from uuutorrent.torrents import profile

log = structlog.get_logger()

PROGRAM = "qbittorrent-nox"
USERNAME = "uuutorrent"
PORTS = range(20_000, 32_000)
"""Below the ports that Linux gives to outgoing connections."""
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""Before the next start, each time it died young; the last one stays."""
YOUNG_S = 60.0
READY_S = 10.0
"""How long the first start waits for it to listen; it takes 0.1 s."""
STOP_S = 3.5
"""After SIGTERM; then SIGKILL. It takes a moment, with thousands of torrents seconds; the daemon ends within 5 s."""
LOG_BYTES = 1 << 20
LOG_LOOK_S = 60.0


class Managed:
    """A qbittorrent-nox of our own, under `data_dir`/qbittorrent.

    `async with Managed(config, tally) as managed` starts and ends it; `managed.run()`, in the daemon's task group,
    starts it again when it dies. `url`, `username` and `password` are how to reach it.
    """

    username = USERNAME

    def __init__(self, config: Config, tally: Tally) -> None:
        self._config = config
        self._tally = tally
        self._folder = (config.server.data / "qbittorrent").absolute()
        self._held = ExitStack()
        self._process: asyncio.subprocess.Process | None = None
        self._program: tuple[str, ...] = ()
        self._started_at = 0.0
        self.password = ""
        self.url = ""
        self.patience_s = STOP_S
        """How long it may take to end; who has more time than Ctrl+C leaves can give it more."""

    @property
    def log_file(self) -> Path:
        """What it printed; its own log is in its profile, under `qBittorrent/data/logs`."""
        return self._folder / "output.log"

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def __aenter__(self) -> Self:
        """Write the profile and start.

        Raises:
            BadConfig: qbittorrent-nox is not installed, ends at once, or another daemon uses this data directory.
        """
        self._program = _program()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._lock()
            await _end_leftovers(self._folder)
            port = await asyncio.to_thread(self._write_profile)
            self.url = f"http://127.0.0.1:{port}"
            await self._start(port)
            await self._until_ready(port)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._process:
            await _end(self._process, self.patience_s)
        self._held.close()

    async def run(self) -> None:
        """Start it again whenever it dies, for ever, with growing pauses while it dies young."""
        deaths = 0
        port = int(self.url.rpartition(":")[2])
        while True:
            code = await self._until_dead()
            deaths = 0 if time.monotonic() - self._started_at >= YOUNG_S else deaths
            pause_s = PAUSES_S[min(deaths, len(PAUSES_S) - 1)]
            deaths += 1
            log.warning("qbittorrent.died", code=code, again_in_s=pause_s, output=str(self.log_file))
            await asyncio.sleep(pause_s)
            self._tally.count("qbittorrent_restarts")
            await self._start(port)

    def _lock(self) -> None:
        """Held as long as the daemon lives, also when it is killed; so what else runs on the folder is a leftover."""
        file = self._held.enter_context((self._folder / "lock").open("w"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise BadConfig(
                f"another uuutorrent runs with the data directory {self._config.server.data}; "
                "stop it, or give this one another [server] data_dir"
            ) from e

    def _write_profile(self) -> int:
        """Ports and password are chosen once and kept; a port that somebody else took meanwhile is chosen anew."""
        settings = self._config.qbittorrent
        self._config.download_dir.mkdir(parents=True, exist_ok=True)  # so that the room on its disk can be told
        web, peers = profile.ports_of(self._folder)
        web = web if web and _is_free(web) else _free_port()
        peers = settings.peer_port or (peers if peers and _is_free(peers) else _free_port(web))
        self.password = _kept_password(self._folder / "password")
        profile.Profile(
            folder=self._folder,
            web_port=web,
            peer_port=peers,
            username=USERNAME,
            password=self.password,
            download_dir=self._config.download_dir,
            interface=settings.interface,
            discovery=settings.discovery,
            refresh_ms=int(min(settings.poll_s, 1.5) * 1000),
        ).write()
        return web

    async def _start(self, port: int) -> None:
        self._bound_log()
        with self.log_file.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._program,
                f"--profile={self._folder}",
                f"--webui-port={port}",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={key: value for key, value in os.environ.items() if not key.startswith("QBT_")},
                start_new_session=True,  # Ctrl+C is for the daemon, which then ends it
            )
        self._started_at = time.monotonic()
        log.info("qbittorrent.started", pid=self._process.pid, url=self.url)

    async def _until_ready(self, port: int) -> None:
        until = time.monotonic() + READY_S
        while time.monotonic() < until:
            if self._process and self._process.returncode is not None:
                raise BadConfig(f"{PROGRAM} ended at once with code {self._process.returncode}; see {self.log_file}")
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.02)
        log.warning("qbittorrent.slow_start", waited_s=READY_S, output=str(self.log_file))

    async def _until_dead(self) -> int:
        while self._process:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOG_LOOK_S):
                    return await self._process.wait()
            self._bound_log()
        return 0

    def _bound_log(self) -> None:
        """Keep the last piece and begin anew; it appends, so emptying the file under it is safe."""
        with suppress(FileNotFoundError):
            if self.log_file.stat().st_size > LOG_BYTES:
                shutil.copyfile(self.log_file, self.log_file.with_suffix(".old"))
                os.truncate(self.log_file, 0)


def _program() -> tuple[str, ...]:
    """The command, told to end when the daemon does, whatever the daemon dies of."""
    found = shutil.which(PROGRAM)
    if not found:
        raise BadConfig(
            f"{PROGRAM} is not installed: apt install {PROGRAM}, or set [qbittorrent] url to the address of one"
        )
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--", found) if setpriv else (found,)


def _kept_password(place: Path) -> str:
    if place.exists():
        return place.read_text().strip()
    password = secrets.token_urlsafe(24)
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password + "\n")
    return password


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port(*taken: int) -> int:
    candidates = random.sample(PORTS, len(PORTS))
    return next(port for port in candidates if port not in taken and _is_free(port))


async def _end(process: asyncio.subprocess.Process, patience_s: float) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
    try:
        async with asyncio.timeout(patience_s):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _end_leftovers(folder: Path) -> None:
    """Whatever still runs on this profile was left by a daemon that was killed; two on one profile cannot be."""
    for pid in _running_on(folder):
        log.warning("qbittorrent.leftover", pid=pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            until = time.monotonic() + STOP_S
            while pid in _running_on(folder):
                if time.monotonic() > until:
                    os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(0.02)


def _running_on(folder: Path) -> Iterator[int]:
    """The processes of this user that were started with our profile folder."""
    ours = f"--profile={folder}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                if ours in (entry / "cmdline").read_bytes().split(b"\0") and entry.stat().st_uid == os.getuid():
                    yield int(entry.name)
