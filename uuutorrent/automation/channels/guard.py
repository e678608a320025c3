"""What the process that sends messages may do: connect to addresses that people may reach, and read what it runs on.

It runs plugins that strangers wrote, on addresses that people chose. The guard sits below all of them, where Python
itself is about to act, so it sees each connection with the number that is connected to: redirects, names that lead
elsewhere, and names that lead elsewhere the second time make no difference.
Source: docs.python.org, library/audit_events.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from uuutorrent.torrents.addresses import may_connect

MEMORY_BYTES = 256 << 20
"""Of address space; sending takes 75 MiB of it."""
OPEN_FILES = 64

_CONNECTS = "socket.connect"
_REFUSED = frozenset(
    (
        *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile", "os.system"),
        *("os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink"),
        *("os.kill", "os.killpg", "os.truncate", "pty.spawn", "shutil.copyfile", "shutil.rmtree", "subprocess.Popen"),
        *("socket.bind", "socket.sendmsg", "socket.sendto"),
    )
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
_READABLE = (
    sys.prefix, sys.base_prefix, str(Path(__file__).parents[2]), "/etc/ssl", "/etc/pki", "/etc/mime.types",
    "/etc/localtime", "/usr/share", "/usr/lib", "/dev/null", "/dev/urandom",
)  # fmt: skip


class Guard:
    """An audit hook: raises PermissionError at what may not be done."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._judging = threading.local()
        self._readable = tuple(os.path.realpath(place) for place in _READABLE)
        self.refused: list[str] = []
        """What was refused since this was emptied: an address, or the name of an event."""

    def __call__(self, event: str, args: Sequence[object]) -> None:
        """See an event before it happens."""
        if event == _CONNECTS:
            self._see_connection(args[1])
        elif event == "open":
            self._see_file(*args[:3])
        elif event in _REFUSED and not self._is_judging:
            self._refuse(event)

    @property
    def _is_judging(self) -> bool:
        """Judging an address asks the system which way it would go, with a socket of its own."""
        return getattr(self._judging, "now", False)

    def _see_connection(self, address: object) -> None:
        if self._is_judging:
            return
        host = address[0] if isinstance(address, tuple) and address else ""
        self._judging.now = True
        try:
            allowed = may_connect(str(host), loopback=self._allow_private, private=self._allow_private)
        finally:
            self._judging.now = False
        if not allowed:
            self._refuse(str(host))

    def _see_file(self, path: object, _mode: object, flags: object) -> None:
        if not isinstance(path, str | bytes):
            return  # a file that is open already
        place = os.path.realpath(os.fsdecode(path))
        is_written = isinstance(flags, int) and bool(flags & _WRITING) and place != os.devnull
        if is_written or not any(Path(place).is_relative_to(root) for root in self._readable):
            self._refuse("open")

    def _refuse(self, what: str) -> None:
        self.refused.append(what)
        raise PermissionError(f"not from here: {what}")


def stand(guard: Guard) -> None:
    """Put the guard up; it cannot be taken down again."""
    sys.addaudithook(guard)


def limit(deadline_s: float) -> None:
    """Bound what this process may use. It ends by itself a little after its deadline, also if nobody waits for it."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, int(deadline_s) + 1),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    signal.alarm(int(deadline_s) + 2)
