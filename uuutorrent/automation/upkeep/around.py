"""What is around us, for admins: services outside and the database, jobs, feeds that fail, the disk, backups.

The figures of services and jobs are those of this daemon, since it began.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from uuutorrent.accounts import Accounts, Admin
from uuutorrent.automation.feeds.rule import Failing
from uuutorrent.automation.feeds.rulebook import Rulebook
from uuutorrent.automation.upkeep.upkeep import Upkeep
from uuutorrent.tally import Last, Tally
from uuutorrent.torrents.live import Live

DATABASE, ENGINE = "database", "qbittorrent"
NAMED = {"anilist": "AniList", "nyaa": "Nyaa", ENGINE: "qBittorrent", DATABASE: "Database"}
ANSWERS = ("ok", "error", "timeout", "throttled")
TURNS = ("ok", "failed", "broken", "cancelled")


@dataclass(frozen=True, slots=True)
class Service:
    """Something that everything leans on. Of what was not asked yet there is no `last`."""

    name: str
    last: Last | None
    usual_s: float | None
    """The mean of all requests; None: there is none."""
    asked: int = 0
    failed: int = 0
    trouble: str = ""
    """What is wrong now, beside the last answer."""


@dataclass(frozen=True, slots=True)
class Chore:
    """A job of which this daemon took a turn."""

    name: str
    last: Last
    turns: int
    failed: int
    well_at: datetime | None
    """When it last went well; None: never since the daemon began."""


@dataclass(frozen=True, slots=True)
class Room:
    """The disk of the downloads."""

    free_bytes: int
    waiting: int
    """Downloads that wait for room on it."""


@dataclass(frozen=True, slots=True)
class Backups:
    """Up to when everything is in the newest backup, here and in the second place; when one was restored for practice.

    None: never, as far as this daemon knows.
    """

    files: datetime | None
    second: datetime | None
    drilled: datetime | None


class Around:
    """Asks them all."""

    def __init__(self, tally: Tally, accounts: Accounts, live: Live, rulebook: Rulebook, upkeep: Upkeep) -> None:
        self._tally = tally
        self._accounts = accounts
        self._live = live
        self._rulebook = rulebook
        self._upkeep = upkeep

    async def services(self, by: Admin) -> tuple[Service, ...]:
        """How each answered when it was last asked; the database is asked now.

        Raises:
            Unreachable: the database does not answer.
        """
        began = time.perf_counter()
        await self._accounts.get(by.user.id)
        asked = Last("ok", time.perf_counter() - began, time.time())
        return tuple(self._service(name, asked if name == DATABASE else None) for name in NAMED)

    def jobs(self, by: Admin) -> tuple[Chore, ...]:
        """Those whose last turn did not go well come first, then by name."""
        chores = [self._chore(name, last) for name, last in self._tally.turns.items()]
        return tuple(sorted(chores, key=lambda one: (one.last.outcome == "ok", one.name)))

    async def feeds(self, by: Admin) -> tuple[Failing, ...]:
        """Those that somebody follows and that do not answer, the longest first."""
        return await self._rulebook.failing(by)

    def room(self, by: Admin) -> Room | None:
        """None: the disk cannot be told just now."""
        guarded = self._upkeep.guarded
        return None if guarded is None else Room(guarded.disk.free_bytes, len(guarded.waiting))

    def backups(self, by: Admin) -> Backups:
        """When there were some last."""
        newest, drill = "backup_last_success_timestamp_seconds", "backup_drill_last_success_timestamp_seconds"
        return Backups(self._marked(newest, "files"), self._marked(newest, "second"), self._marked(drill))

    def _service(self, name: str, now: Last | None) -> Service:
        seen = self._tally.distributions.get(("dependency_request_duration_seconds", (name,)))
        counted = {one: self._count("dependency_requests", name, one) for one in ANSWERS}
        asked = sum(counted.values())
        usual = seen.total / sum(seen.counts) if seen and sum(seen.counts) else None
        trouble = self._live.snapshot.trouble if name == ENGINE else ""
        return Service(name, now or self._tally.requests.get(name), usual, asked, asked - counted["ok"], trouble)

    def _chore(self, name: str, last: Last) -> Chore:
        counted = {one: self._count("jobs", name, one) for one in TURNS}
        turns, well = sum(counted.values()), self._marked("job_last_success_timestamp_seconds", name)
        return Chore(name, last, turns, turns - counted["ok"], well)

    def _count(self, *family_and_labels: str) -> int:
        family, *labels = family_and_labels
        return round(self._tally.counters.get((family, tuple(labels)), 0))

    def _marked(self, family: str, *labels: str) -> datetime | None:
        at = self._tally.counters.get((family, labels), 0)
        return datetime.fromtimestamp(at, UTC) if at else None
