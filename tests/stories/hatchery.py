"""Programs of ours that start at once: each is a fork of one process that has imported all of it beforehand.

Importing everything is most of what a start costs. What runs after the fork is what `python -m uuutorrent` runs: a
process of its own, with its own environment, directory and files, which signals end and which ends by itself.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sqlalchemy import make_url

from uuutorrent import cli

ROOT = Path(__file__).parents[2]
PR_SET_PDEATHSIG = 1
FILES = 4
"""That come with an order: stdin, stdout, stderr, and where it is told which process it is and how that ended."""
ORDER_BYTES = 1 << 17


def die_with_parent() -> None:
    """Be killed when whoever started this process ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Hatched:
    """A process of the hatchery, as `subprocess.Popen` would show it."""

    def __init__(self, report: IO[bytes]) -> None:
        self._report = report
        self.pid = int(report.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended; None while it runs."""
        return self._look(0)

    def wait(self, timeout: float) -> int:
        """Wait until it ended."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("uuutorrent", timeout)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def _look(self, seconds: float) -> int | None:
        if self.returncode is None and select.select([self._report], [], [], seconds)[0]:
            self.returncode = int(self._report.readline())
            self._report.close()
        return self.returncode


class Hatchery:
    """Where they come from. `with hatchery() as made` makes one; it takes them all along when it goes."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._turn = threading.Lock()

    def start(self, words: Sequence[str], *, output: IO[bytes], env: Mapping[str, str], cwd: Path) -> Hatched:
        """`uuutorrent` with these words and nothing on stdin."""
        with Path(os.devnull).open("rb") as nothing:
            return self._start(words, (nothing, output, output), env, cwd)

    def run(
        self, words: Sequence[str], *, given: str, env: Mapping[str, str], cwd: Path, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """`uuutorrent` with these words, until it ends."""
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            stdin.write(given.encode())
            stdin.seek(0)
            code = self._start(words, (stdin, out, err), env, cwd).wait(timeout)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(["uuutorrent", *words], code, out.read().decode(), err.read().decode())

    def _start(self, words: Sequence[str], files: Sequence[IO[bytes]], env: Mapping[str, str], cwd: Path) -> Hatched:
        report, told = os.pipe()
        order = json.dumps({"words": words, "env": dict(env), "cwd": str(cwd)}).encode()
        with self._turn:
            socket.send_fds(self._line, [order], [*(file.fileno() for file in files), told])
        os.close(told)
        return Hatched(os.fdopen(report, "rb", buffering=0))


@contextmanager
def hatchery() -> Iterator[Hatchery]:
    """One that is ready for orders. Make it in the main thread: it ends with the thread that made it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with (
        ours,
        theirs,
        subprocess.Popen(
            [sys.executable, "-m", "tests.stories.hatchery", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env={name: value for name, value in os.environ.items() if not name.startswith(("UUUTORRENT_", "SSH_"))},
            cwd=ROOT,
            preexec_fn=die_with_parent,
        ) as process,
    ):
        theirs.close()
        yield Hatchery(ours)
        ours.close()
        process.wait(timeout=60)


def take_orders(line: socket.socket) -> list[str]:
    """Start a process for each order and tell how it ended. Only those processes come back, each with its words."""
    running: dict[int, tuple[int, int]] = {}
    while True:
        for ready in select.select([line.fileno(), *running], [], [])[0]:
            if ready in running:
                _report_end(ready, *running.pop(ready))
                continue
            order, files, *_ = socket.recv_fds(line, ORDER_BYTES, FILES)
            if not order:
                sys.exit(0)
            pid = os.fork()
            if not pid:
                return _become(json.loads(order), files)
            os.write(files[-1], b"%d\n" % pid)
            running[os.pidfd_open(pid)] = (pid, files[-1])
            for file in files[:-1]:
                os.close(file)


def _report_end(process: int, pid: int, told: int) -> None:
    os.write(told, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    os.close(told)
    os.close(process)


def _become(order: dict[str, Any], files: Sequence[int]) -> list[str]:
    die_with_parent()
    for number, file in enumerate(files[:-1]):
        os.dup2(file, number)
    os.closerange(3, max(os.sysconf("SC_OPEN_MAX"), 1024))
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    return list(order["words"])


def main() -> None:
    """A program of ours for each order; everything that it may need is imported before the first one comes."""
    for name in ("daemon", "check"):
        importlib.import_module(f"uuutorrent.{name}")
    for dialect in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        make_url(f"{dialect}://").get_dialect()
    gc.collect()
    gc.freeze()
    sys.argv = ["uuutorrent", *take_orders(socket.socket(fileno=int(sys.argv[1])))]
    cli.main()


if __name__ == "__main__":
    main()
