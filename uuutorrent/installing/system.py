"""The machine that is installed on: its files, and the programs that change it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from uuutorrent.errors import Unexpected

PROGRAM_S = 1800
"""apt-get on a slow line takes its time."""
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True, slots=True)
class Said:
    """What a program answered."""

    code: int
    out: str
    err: str = ""


Run = Callable[[Sequence[str], str], Said]
"""Runs a program with this on its stdin."""


@dataclass(frozen=True, slots=True)
class System:
    """A machine, seen from `root`."""

    run: Run
    root: Path = Path("/")

    def at(self, path: str) -> Path:
        """Where a path of the machine is for us."""
        return self.root / path.lstrip("/")

    def asks(self, *words: str, given: str = "") -> str | None:
        """What a program says; None where it fails or is not there."""
        said = self.run(words, given)
        return said.out if said.code == 0 else None

    def does(self, *words: str, given: str = "") -> str:
        """Have a program change something.

        Raises:
            Unexpected: it fails, with the last it said.
        """
        said = self.run(words, given)
        if said.code:
            lines = (said.err.strip() or said.out.strip() or f"it ended with {said.code}").splitlines()
            raise Unexpected(Path(words[0]).name, next((one for one in lines if "ERROR" in one), lines[-1]))
        return said.out

    @property
    def has_systemd(self) -> bool:
        """Whether systemd runs this machine. Source: sd_booted(3)."""
        return self.at("/run/systemd/system").is_dir()

    def holds(self, path: str, content: str) -> bool:
        """Whether a file has exactly this content."""
        try:
            return self.at(path).read_text() == content
        except (OSError, UnicodeDecodeError):
            return False

    def write(self, path: str, content: str, *, mode: int = 0o644, owner: str = "root:root") -> None:
        """Write a whole file, whose secrets nobody else sees at any time."""
        place = self.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{place.name}.new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(content)
        self.does("chown", owner, str(draft))
        draft.chmod(mode)
        draft.replace(place)

    def mode(self, path: str) -> int | None:
        """The bits of its mode; None where there is nothing."""
        place = self.at(path)
        return place.stat().st_mode & 0o7777 if place.exists() else None


def run(words: Sequence[str], given: str) -> Said:
    """Run a program of this machine."""
    try:
        done = subprocess.run(
            words,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=PROGRAM_S,
            cwd="/",
            env=os.environ | _ENVIRONMENT,
        )
    except FileNotFoundError:
        return Said(127, "", f"{words[0]} is not there")
    except subprocess.TimeoutExpired:
        return Said(124, "", f"it took longer than {PROGRAM_S} s")
    return Said(done.returncode, done.stdout, done.stderr)
