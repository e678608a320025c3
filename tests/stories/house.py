"""The whole house under test: the daemon as a process, reached as a person reaches it, with real ssh and sftp."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyte

from tests.ports import free_port
from tests.stories.hatchery import Hatched, Hatchery, die_with_parent
from uuutorrent.torrents.managed import PROGRAM

START_S = 120
DONE_S = 180
"""Nothing takes so long on a machine of its own; on one with much else to do it may."""
LOOK_S, SELDOM_S = 0.05, 0.4
"""How soon it is looked again whether something came true, at first and once it takes long: a look costs a sign-in."""


@dataclass
class House:
    """A configured daemon. `start` it; talk to it with `ssh`, `json`, `sftp`, `uuutorrent`."""

    home: Path
    anilist_url: str = "http://127.0.0.1:9/"
    nyaa_url: str = "http://127.0.0.1:9"
    database_url: str = ""
    extra: str = ""
    qbittorrent_settings: str = 'interface = "lo"\ndiscovery = false'
    upkeep_settings: str = "free_floor_bytes = 0"
    health_settings: str = "probe = false"
    """Mostly what is fetched are random bytes."""
    hatchery: Hatchery | None = None
    """Where its processes come from; without one they are started as anybody would."""
    launcher: tuple[str, ...] = ()
    """What the daemon is started with, such as `nice`; it must become the daemon itself."""
    program: tuple[str, ...] = (sys.executable, "-m", "uuutorrent")
    port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | Hatched | None = None

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.write_config()

    def write_config(self) -> None:
        (self.home / "config.toml").write_text(
            f"""
[server]
data_dir = "{self.home / "data"}"
[ssh]
host = "127.0.0.1"
port = {self.port}
public_host = "127.0.0.1"
shutdown_grace_s = 2
[database]
url = "{self.database_url}"
[qbittorrent]
{self.qbittorrent_settings}
[torrents]
allow_loopback = true
[anilist]
api_url = "{self.anilist_url}"
client_id = "4242"
requests_per_min = 90
[nyaa]
base_url = "{self.nyaa_url}"
[upkeep]
{self.upkeep_settings}
[health]
{self.health_settings}
[metrics]
port = {self.metrics_port}
{self.extra}
"""
        )

    @property
    def log(self) -> str:
        return (self.home / "daemon.log").read_text(errors="replace")

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("UUUTORRENT_", "SSH_"))}
        return kept | {"UUUTORRENT_CONFIG": str(self.home / "config.toml"), "HOME": str(self.home)}

    def start(self) -> House:
        with (self.home / "daemon.log").open("ab") as log:
            self.process = self._serving(log)
        self.until(self._listens, "the daemon does not listen", START_S)
        return self

    def _serving(self, log: IO[bytes]) -> subprocess.Popen[bytes] | Hatched:
        if self.hatchery and not self.launcher:
            return self.hatchery.start(["serve"], output=log, env=self.environment(), cwd=self.home)
        return subprocess.Popen(
            [*self.launcher, *self.program, "serve"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=self.environment(),
            cwd=self.home,
            preexec_fn=die_with_parent,
        )

    def _listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def until(self, true: Any, complaint: str, seconds: float = DONE_S) -> Any:
        deadline, pause_s = time.monotonic() + seconds, LOOK_S
        while time.monotonic() < deadline:
            if answer := true():
                return answer
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, SELDOM_S)
        raise AssertionError(f"{complaint}\n{self.log[-6000:]}")

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(with_signal)
        code = self.process.wait(timeout=DONE_S)
        self.process = None
        return code

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def qbittorrents(self) -> list[int]:
        """The processes of qBittorrent that run on this house's data."""
        listed = subprocess.run(["ps", "-wweo", "pid=,args="], capture_output=True, text=True, check=True).stdout
        ours = [line for line in listed.splitlines() if PROGRAM in line and str(self.home) in line]
        return [int(line.split()[0]) for line in ours]

    def qbittorrent(self) -> int:
        """The one that it runs, once it runs it."""
        (pid,) = self.until(lambda: len(found := self.qbittorrents()) == 1 and found, "it runs no qBittorrent")
        return int(pid)

    def uuutorrent(self, *words: str, given: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """An operator's command on the machine itself."""
        if self.hatchery:
            done = self.hatchery.run(words, given=given, env=self.environment(), cwd=self.home, timeout=DONE_S)
            assert not check or done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
            return done
        return subprocess.run(
            [*self.program, *words],
            input=given,
            env=self.environment(),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=DONE_S,
            check=check,
        )

    def add_user(self, name: str, *, admin: bool = False) -> None:
        """A user who signs in with a key of their own."""
        key = self.key(name)
        if not key.exists():
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@laptop", "-f", key], check=True
            )
        self.uuutorrent("user", "add", name, "--key", f"{key}.pub", *(["--admin"] if admin else []))

    def key(self, name: str) -> Path:
        return self.home / f"key-{name}"

    def options(self, name: str) -> list[str]:
        return [
            *("-F", "none", "-i", str(self.key(name)), "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"),
            *("-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={self.home / 'known_hosts'}"),
            *("-o", "LogLevel=ERROR", "-o", "PasswordAuthentication=no", "-o", "KbdInteractiveAuthentication=no"),
        ]

    def without_key(self) -> list[str]:
        return [
            *("-F", "none", "-o", "PubkeyAuthentication=no", "-o", "StrictHostKeyChecking=accept-new"),
            *("-o", f"UserKnownHostsFile={self.home / 'known_hosts'}", "-o", "LogLevel=ERROR"),
        ]

    def ssh(
        self, name: str, *words: str, given: bytes = b"", seconds: float = DONE_S
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["ssh", *self.options(name), "-p", str(self.port), f"{name}@127.0.0.1", *words],
            input=given,
            env=self.environment(),
            capture_output=True,
            timeout=seconds,
            check=False,
        )

    def json(self, name: str, *words: str, given: bytes = b"", code: int = 0, seconds: float = DONE_S) -> Any:
        """The one JSON document a command prints; asserts its exit code."""
        done = self.ssh(name, *words, "--json", given=given, seconds=seconds)
        assert done.returncode == code, (
            f"{words}: exit {done.returncode}\n{done.stdout!r}\n{done.stderr!r}\n{self.log[-6000:]}"
        )
        return json.loads(done.stdout)

    def sftp(self, name: str, *lines: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["sftp", *self.options(name), "-P", str(self.port), "-b", "-", f"{name}@127.0.0.1"],
            input="\n".join(lines) + "\n",
            env=self.environment(),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=DONE_S,
            check=False,
        )
        assert not check or done.returncode == 0, f"{lines}: {done.stdout}\n{done.stderr}\n{self.log[-6000:]}"
        return done

    def with_password(self, name: str, password: str, *words: str) -> subprocess.CompletedProcess[str]:
        """ssh as someone who types a password."""
        return subprocess.run(
            [
                *("ssh", *self.without_key()),
                *("-p", str(self.port), f"{name}@127.0.0.1", *words),
            ],
            stdin=subprocess.DEVNULL,
            env=self.environment() | self.asking(password),
            capture_output=True,
            text=True,
            timeout=DONE_S,
            check=False,
        )

    def asking(self, password: str) -> dict[str, str]:
        """An environment in which ssh is given a password when it asks."""
        answer = self.home / "answer.sh"
        answer.write_text('#!/bin/sh\nprintf "%s\\n" "$ANSWER"\n')
        answer.chmod(0o700)
        return {"SSH_ASKPASS": str(answer), "SSH_ASKPASS_REQUIRE": "force", "ANSWER": password}

    @contextmanager
    def screen(self, name: str, *, columns: int = 100, rows: int = 30, password: str = "") -> Iterator[Screen]:
        """The screens, as a person with a terminal sees them; who signs in with a password has no key."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        options = self.without_key() if password else self.options(name)
        process = subprocess.Popen(
            ["ssh", *options, "-tt", "-p", str(self.port), f"{name}@127.0.0.1"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=self.environment() | {"TERM": "xterm-256color"} | (self.asking(password) if password else {}),
            preexec_fn=die_with_parent,
        )
        os.close(slave)
        screen = Screen(self, process, master, columns, rows)
        try:
            yield screen
        finally:
            process.kill()
            process.wait()
            os.close(master)


FIELD = 40
"""So many columns behind its label there is nothing but the field."""
UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1b\]22;[^\x07]*\x07")


class Screen:
    """A person's terminal: type into it, read what it shows."""

    def __init__(self, house: House, process: subprocess.Popen[bytes], master: int, columns: int, rows: int) -> None:
        self.house, self.process, self.master = house, process, master
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""

    def _drain(self) -> None:
        while select.select([self.master], [], [], 0)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.raw += data
            self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", data))

    @property
    def text(self) -> str:
        self._drain()
        return "\n".join(line.rstrip() for line in self._screen.display)

    def ground(self, label: str) -> str:
        """The colour of the field behind a label; the field that takes what is typed has another."""
        self._drain()
        y, x = next((y, line.index(label)) for y, line in enumerate(self._screen.display) if label in line)
        return str(self._screen.buffer[y][x + len(label) + FIELD].bg)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def shows(self, *words: str, seconds: float = DONE_S) -> str:
        """Wait until every word is on the screen; returns its text."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            text = self.text
            if all(word in text for word in words):
                return text
            select.select([self.master], [], [], max(0, deadline - time.monotonic()))
            time.sleep(LOOK_S)
        raise AssertionError(f"not on the screen: {words}\n{self.text}\n{self.house.log[-4000:]}")

    def ends(self, seconds: float = DONE_S) -> int:
        """Wait for ssh to end; returns its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self._drain()
            time.sleep(0.02)
        assert self.process.returncode is not None, self.text
        self._drain()
        return self.process.returncode
