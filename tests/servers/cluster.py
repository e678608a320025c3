"""A PostgreSQL that archives its log with pgBackRest, to be lost and restored; the daemon's is a plain role."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.postgres import OWNER, ROLES, as_postgres

STANZA = "uuutorrent"
START_S = 120


class Cluster:
    """Its files, its settings of pgBackRest, and its life."""

    def __init__(self, home: Path, archive_timeout_s: int) -> None:
        self.home, self.data, self.pgbackrest = home, home / "data", home / "pgbackrest.conf"
        self._archive_timeout_s = archive_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("repository", "locks"):
            self._run("mkdir", str(home / name))
        self.pgbackrest.write_text(
            f"[global]\nrepo1-path={home}/repository\nrepo1-retention-full=2\nrepo1-cipher-type=aes-256-cbc\n"
            f"repo1-cipher-pass=of-this-test\nstart-fast=y\ncompress-type=lz4\nlog-path={home}/locks\nlock-path={home}/locks\n"
            f"spool-path={home}/locks\nlog-level-file=off\n"
            f"[{STANZA}]\npg1-path={self.data}\npg1-socket-path={home}\npg1-user=postgres\n"
        )
        self._run(
            "initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-k", "-N"
        )
        self.start()
        self._run("psql", "-h", str(home), "-U", "postgres", "-qc", ROLES)
        self._run("createdb", "-h", str(home), "-U", "postgres", "-O", OWNER, "uuutorrent")
        self._run("pgbackrest", f"--config={self.pgbackrest}", f"--stanza={STANZA}", "stanza-create")

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://{OWNER}@/uuutorrent?host={self.home}"

    def start(self) -> None:
        push = f"pgbackrest --config={self.pgbackrest} --stanza={STANZA} archive-push %p"
        settings = (
            f"unix_socket_directories={self.home}",
            "listen_addresses=",
            "shared_buffers=16MB",
            "archive_mode=on",
            f"archive_timeout={self._archive_timeout_s}",
            f"archive_command={push}",
        )
        words = [word for setting in settings for word in ("-c", setting)]
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                as_postgres("postgres", "-D", str(self.data), *words), stdout=log, stderr=log, cwd=self.home
            )
        deadline = time.monotonic() + START_S
        while subprocess.run(as_postgres("pg_isready", "-q", "-h", str(self.home)), check=False).returncode:
            assert self._process.poll() is None, (self.home / "log").read_text()
            assert time.monotonic() < deadline, (self.home / "log").read_text()
            time.sleep(0.05)

    def add_second_repository(self) -> None:
        """As the handbook says, but on this disk."""
        self._run("mkdir", str(self.home / "second"))
        second = f"repo2-path={self.home}/second\nrepo2-cipher-type=aes-256-cbc\nrepo2-cipher-pass=another\n"
        text = self.pgbackrest.read_text().replace("[global]\n", f"[global]\n{second}repo2-retention-full=4\n")
        self.pgbackrest.write_text(text)
        self._run("pgbackrest", f"--config={self.pgbackrest}", f"--stanza={STANZA}", "stanza-create")

    def lose(self) -> None:
        """As a disk that dies: no word to anybody, and everything on it gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        # The children see that their postmaster is gone; until then they hold on to the socket and the shared memory.
        deadline = time.monotonic() + START_S
        while any(self._children()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        shutil.rmtree(self.data)
        self._process = None

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=START_S)
            self._process = None

    def _children(self) -> Iterator[int]:
        for one in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if one.readlink() == self.data:
                    yield int(one.parent.name)
            except OSError:
                continue

    def _run(self, *words: str) -> None:
        done = subprocess.run(as_postgres(*words), check=False, capture_output=True, text=True, cwd=self.home)
        assert done.returncode == 0, done.stderr


@contextmanager
def cluster(*, archive_timeout_s: int) -> Iterator[Cluster]:
    """A cluster that runs meanwhile."""
    home = Path(tempfile.mkdtemp(prefix="uuu-cluster-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    made = None
    try:
        made = Cluster(home, archive_timeout_s)
        yield made
    finally:
        if made is not None:
            made.stop()
        shutil.rmtree(home)
