"""A real PostgreSQL for tests: one cluster in its own directory, on a unix socket, gone with whoever started it.

Databases belong to a plain role, as an installation's does: row-level security does not bind a superuser.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

START_S = 120
# Nothing here has to survive a power cut.
FAST = (
    "fsync=off", "synchronous_commit=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0",
    "autovacuum=off", "max_connections=60", "shared_buffers=16MB",
)  # fmt: skip

OWNER = "uuutorrent"
ROLES = f"CREATE ROLE {OWNER} LOGIN; CREATE ROLE uuutorrent_system NOLOGIN; GRANT uuutorrent_system TO {OWNER};"


class Postgres:
    """A running cluster. `fresh` makes an empty database and gives its URL."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._has_roles = False
        self._furnished = ""
        self._run("initdb", "-D", str(home / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    def start(self) -> None:
        settings = [f"unix_socket_directories={self.home}", "listen_addresses=", *FAST]
        words = ["postgres", "-D", str(self.home / "data"), *(word for setting in settings for word in ("-c", setting))]
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(as_postgres(*words), stdout=log, stderr=log, cwd=self.home)
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert self._process.poll() is None, (self.home / "log").read_text()
            assert time.monotonic() < deadline, (self.home / "log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=START_S)
            self._process = None

    def fresh(self, template: str = "template0") -> str:
        """The URL of a new database, empty or a copy of `template` (a name that `name_of` gave)."""
        name = f"test_{next(self._numbers)}"
        if not self._has_roles:
            self.as_superuser(ROLES)
            self._has_roles = True
        self._run("createdb", *self._login(), "-O", OWNER, "-T", template, name)
        return f"postgresql+asyncpg://{OWNER}@/{name}?host={self.home}"

    def furnished(self, furnish: Callable[[str], None]) -> str:
        """The URL of a database that `furnish` was called with: the last one, unless it was dropped."""
        if not self._furnished:
            self._furnished = self.fresh()
            furnish(self._furnished)
        return self._furnished

    def drop(self, url: str) -> None:
        self._furnished = "" if url == self._furnished else self._furnished
        self._run("dropdb", *self._login(), "--force", self.name_of(url))

    def as_superuser(self, statement: str, url: str = "") -> None:
        """What a plain role may not do, in the database of this address or in the cluster's own."""
        self._run("psql", *self._login(), "-d", self.name_of(url) or "postgres", "-qc", statement)

    def _login(self) -> tuple[str, ...]:
        return "-h", str(self.home), "-U", "postgres"

    @staticmethod
    def name_of(url: str) -> str:
        return url.rpartition("@/")[2].partition("?")[0]

    def _answers(self) -> bool:
        words = as_postgres("pg_isready", "-q", "-h", str(self.home))
        return subprocess.run(words, check=False, cwd=self.home).returncode == 0

    def _run(self, *words: str) -> None:
        done = subprocess.run(as_postgres(*words), check=False, capture_output=True, text=True, cwd=self.home)
        assert done.returncode == 0, done.stderr


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A cluster that runs meanwhile. Start it from the main thread: it ends with the thread that started it."""
    # Not under pytest's own directory: a socket's path has to be short, and the server's account has to get there.
    home = Path(tempfile.mkdtemp(prefix="uuu-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    server = None
    try:
        server = Postgres(home)
        server.start()
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(home)


def as_postgres(program: str, *words: str) -> list[str]:
    """The server refuses to be root: `setpriv` becomes another account and asks to be ended with us."""
    there = list(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    found = max(there, key=lambda path: int(path.parts[4])) if there else program
    account = ["--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *account, "--pdeathsig=QUIT", str(found), *words]
