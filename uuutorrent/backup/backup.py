"""What a backup is: a folder named by its time, with a manifest that says what is in it and when to keep it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from uuutorrent.errors import Invalid

MANIFEST = "manifest.json"
DRILL = "drill.json"
"""The result of the last restore for practice."""
QUARTERS, DAYS, WEEKS = 8, 7, 4
"""Of each so many newest are kept."""
_NAME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup on the disk."""

    at: datetime
    """Everything up to then is in it."""
    revision: str
    """Of the schema; empty where the database is not in it, because PostgreSQL has backups of its own."""
    rows: Mapping[str, int]
    """How many there are, by table."""
    files: Mapping[str, str]
    """SHA-256 in hex, by name."""
    bytes: int
    seconds: float
    """What taking it took."""

    @property
    def name(self) -> str:
        """Its folder."""
        return name_at(self.at)

    def write(self, folder: Path) -> None:
        """Write the manifest: the last file of a backup, so that without one it is none."""
        told = {**asdict(self), "at": self.at.isoformat()}
        (folder / MANIFEST).write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest.

        Raises:
            Invalid: it is not one.
        """
        try:
            told = json.loads((folder / MANIFEST).read_text())
            return cls(**{**told, "at": datetime.fromisoformat(told["at"])})
        except (OSError, ValueError, TypeError, KeyError) as e:
            raise Invalid(f"{folder} is not a backup of ours") from e

    def check(self, folder: Path) -> None:
        """Check that every file is what it was.

        Raises:
            Invalid: one is gone or changed.
        """
        for name, expected in self.files.items():
            file = folder / name
            if not file.is_file() or sha256(file) != expected:
                raise Invalid(f"{file} is damaged or gone: take another backup")


@dataclass(frozen=True, slots=True)
class Drill:
    """How a restore for practice went."""

    backup: str
    at: str
    """When, as ISO 8601."""
    ok: bool
    why: str
    """What was wrong."""
    seconds: float
    rows: int
    secrets: int
    """Sealed secrets that were opened."""


def last_drill(backups: Path) -> Drill | None:
    """The result of the last one."""
    try:
        return Drill(**json.loads((backups / DRILL).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def name_at(at: datetime) -> str:
    """The name of a backup taken at this time."""
    return at.astimezone(UTC).strftime(_NAME)


def is_name(name: str) -> bool:
    """Whether a folder is named as a backup is."""
    try:
        return datetime.strptime(name, _NAME).replace(tzinfo=UTC) is not None
    except ValueError:
        return False


def kept(times: Iterable[datetime]) -> set[datetime]:
    """Those to keep: the last of each of the newest quarters of an hour, of the newest days, and of the newest weeks.

    A daemon that is started again and again takes one each time, and must not drop what there was before its trouble.
    """
    newest_first = sorted(times, reverse=True)
    keep: set[datetime] = set()
    for count, period in ((QUARTERS, _quarter), (DAYS, _day), (WEEKS, _week)):
        last_of: dict[str, datetime] = {}
        for at in newest_first:
            last_of.setdefault(period(at), at)
        keep.update(list(last_of.values())[:count])
    return keep


def _quarter(at: datetime) -> str:
    return f"{at:%Y-%j %H} {at.minute // 15}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%j}"


def _week(at: datetime) -> str:
    return f"{at:%G-%V}"


def sha256(file: Path) -> str:
    """In hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
