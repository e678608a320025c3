"""Looks at every download again and again, and remembers how it looked: what is not well is found from here.

What was seen is in the table, so a daemon that is killed, or another that takes over, goes on where it was. Looking
twice does no harm: time counts once, from the last look on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from uuutorrent.accounts import Admin, User
from uuutorrent.automation.health.health import HUNGRY, Cause, Observation, Verdict, judge, observe, refusal
from uuutorrent.automation.health.probing import Found, Probing, is_for_anime
from uuutorrent.config import Health
from uuutorrent.errors import Missing, RemoteError
from uuutorrent.store.database import NOBODY, Database
from uuutorrent.store.tables import ObservationRow
from uuutorrent.torrents.engine import Engine, InfoHash, Phase, Torrent
from uuutorrent.torrents.holdings import Stored
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live

log = structlog.get_logger()

TREATED = frozenset({Verdict.STALLED, Verdict.DEAD, Verdict.BROKEN})
MOST_ASKED = 20
"""Downloads whose trackers, and downloads whose files, are asked for at one look."""
MOST_PROBED = 10
MOST_TRIES = 3
"""So often content is looked into in vain before it is left alone."""
NEWS = timedelta(days=1)
"""What was complete before anybody looked at it is looked into only if that is not longer ago."""
FULL_BYTES = 64 << 20
"""With less room than this left on the disk no error is held against a download."""
STALE_TURNS = 5
LONG_AGO = datetime.min.replace(tzinfo=UTC)
MANY = 3
"""When so many torrents fail, and they are most of all there are, it is none of theirs."""
LIST, CONTENT = "list", "content"
_NEW = HUNGRY | {Phase.QUEUED, Phase.ERROR, Phase.MISSING}


@dataclass(frozen=True, slots=True)
class Unwell:
    """A torrent that is not well."""

    torrent_id: int
    infohash: InfoHash
    name: str
    verdict: Verdict
    cause: Cause
    why: str
    """In words that can follow "because"."""
    since: datetime
    is_complete: bool
    """It was seen whole: nothing of it may be lost."""
    completed_bytes: int = 0
    """Of it that were here when it was looked at."""

    @property
    def is_content(self) -> bool:
        """It is what its files are that is wrong, so no other download of it would be better."""
        return self.cause is Cause.CONTENT


@dataclass(frozen=True, slots=True)
class _Known:
    """A row of the table."""

    torrent_id: int
    infohash: str
    seen: Observation
    looked: str = ""
    verdict: Verdict = Verdict.WELL
    cause: Cause = Cause.NONE
    why: str = ""
    since: datetime = LONG_AGO

    def differs(self, before: _Known | None) -> bool:
        """Whether it must be written down; of what waits for nothing the time of the look alone need not."""
        if before is None or self.seen.phase in HUNGRY:
            return True
        return replace(self, seen=replace(self.seen, seen_at=before.seen.seen_at)) != before


@dataclass(frozen=True, slots=True)
class _Look:
    """One torrent at one look."""

    stored: Stored
    torrent: Torrent
    before: _Known | None
    now: _Known

    def heard(self, refusal: str) -> _Look:
        """With what its trackers say if they do not know it."""
        return replace(self, now=replace(self.now, seen=replace(self.now.seen, refusal=refusal)))

    def listed(self, found: Found) -> _Look:
        """With what came of looking at its list of files, if that was known."""
        seen = replace(self.now.seen, trouble=found.trouble)
        return replace(self, now=replace(self.now, seen=seen, looked=LIST)) if found.is_sure else self


class Observations:
    """The owner of the table `observations`."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        live: Live,
        library: Library,
        probing: Probing,
        settings: Health,
        *,
        every_s: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._engine = engine
        self._live = live
        self._library = library
        self._probing = probing
        self._settings = settings
        self._every_s = every_s
        self._now = now
        self._asked: dict[int, datetime] = {}
        self._tries: Counter[int] = Counter()
        self._last_look: tuple[datetime, Mapping[Verdict, int]] = LONG_AGO, {}

    @property
    def verdicts(self) -> Mapping[Verdict, int]:
        """How many downloads, and others that are not well, do how; nothing where another daemon looks by now."""
        at, verdicts = self._last_look
        return verdicts if self._now() - at < timedelta(seconds=STALE_TURNS * self._every_s) else {}

    async def look_once(self) -> None:
        """Look at every download, and write down what changed. While the engine is away that says nothing."""
        snapshot, known = await self._live.recent(), await self._known()
        now = self._now()
        is_quiet = not known and not any(one.phase in _NEW or _is_news(one, now) for one in snapshot.torrents)
        if not snapshot.engine_up or is_quiet:
            return
        looks = []
        for stored in await self._library.everything():
            torrent = snapshot.find(stored.v1, stored.v2)
            before = known.get(stored.id)
            if torrent is not None and (before is not None or self._is_worth_it(stored, torrent, now)):
                looks.append(self._look(stored, torrent, before, now))
        looks = await self._ask_trackers(looks, now)
        looks = await self._look_at_lists(looks)
        excuse = await self._excuse(looks, len(snapshot.torrents))
        judged = [self._judged(look, now, excuse) for look in looks]
        await self._write([look for look in judged if look.now.differs(look.before)])
        counted = Counter(one.now.verdict for one in judged if not one.torrent.is_complete or one.now.cause)
        self._last_look = now, counted

    async def probe_once(self) -> None:
        """Look into the content of what became complete, some of it at a time."""
        if not self._settings.probe:
            return
        known = {one.torrent_id: one for one in (await self._known()).values() if _is_unread(one)}
        snapshot = await self._live.recent()
        if not known or not snapshot.engine_up:
            return
        due = [
            (stored, torrent)
            for stored in await self._library.everything()
            if stored.id in known and is_for_anime(stored)
            if (torrent := snapshot.find(stored.v1, stored.v2)) is not None and torrent.is_complete
        ]
        self._tries = Counter({which: tries for which, tries in self._tries.items() if which in known})
        for stored, torrent in sorted(due, key=lambda one: self._tries[one[0].id])[:MOST_PROBED]:
            self._tries[stored.id] += 1
            found = await self._probing.content(stored, torrent)
            if found.trouble or found.is_sure or self._tries[stored.id] >= MOST_TRIES:
                await self._note_content(stored.id, found)
                del self._tries[stored.id]

    async def unwell(self) -> tuple[Unwell, ...]:
        """What something should be done about, the longest unwell first. What is only slow is not."""
        return await self._unwell(TREATED)

    async def every(self, by: Admin) -> tuple[Unwell, ...]:
        """Everybody's torrents that are not well, also what is only slow."""
        return await self._unwell(TREATED | {Verdict.SLOW})

    async def of(self, user: User) -> Mapping[InfoHash, Unwell]:
        """This user's torrents that are not well."""
        found = await self._select(TREATED | {Verdict.SLOW})
        return {one.infohash: one for one in _joined(found, await self._library.of(user) if found else ())}

    async def _unwell(self, verdicts: Collection[Verdict]) -> tuple[Unwell, ...]:
        found = await self._select(verdicts)
        return _joined(found, await self._library.everything() if found else ())

    # Looking

    def _is_worth_it(self, stored: Stored, torrent: Torrent, now: datetime) -> bool:
        if torrent.is_complete:
            return self._settings.probe and is_for_anime(stored) and _is_news(torrent, now)
        return torrent.phase in _NEW

    def _look(self, stored: Stored, torrent: Torrent, before: _Known | None, now: datetime) -> _Look:
        seen = observe(before.seen if before else None, torrent, now, interval_s=self._every_s)
        if before is None:
            return _Look(stored, torrent, None, _Known(stored.id, stored.infohash, seen, since=now))
        looked = before.looked
        if looked == CONTENT and torrent.phase in HUNGRY and torrent.progress < 1:
            looked = LIST  # more of it is fetched now
        return _Look(stored, torrent, before, replace(before, infohash=stored.infohash, seen=seen, looked=looked))

    async def _ask_trackers(self, looks: Sequence[_Look], now: datetime) -> list[_Look]:
        """Those that get nothing may be unknown to their trackers; the ones asked longest ago are asked first."""
        limits, asked = self._settings, self._asked
        silent = [
            look.stored.id
            for look in looks
            if look.torrent.phase in HUNGRY and look.now.seen.still_s >= min(limits.young_s, limits.stalled_s)
        ]
        self._asked = {one: asked[one] for one in silent if one in asked}
        said: dict[int, str] = {}
        first = frozenset(sorted(silent, key=lambda one: self._asked.get(one, LONG_AGO))[:MOST_ASKED])
        with suppress(RemoteError):  # an engine that does not answer the first would not answer the others
            for look in looks:
                if look.stored.id in first:
                    with suppress(Missing):
                        said[look.stored.id] = refusal(await self._engine.trackers(look.torrent.id))
        self._asked |= dict.fromkeys(said, now)
        return [look.heard(said[look.stored.id]) if look.stored.id in said else look for look in looks]

    async def _look_at_lists(self, looks: Sequence[_Look]) -> list[_Look]:
        if not self._settings.probe:
            return list(looks)
        fresh = [
            look for look in looks if not look.now.looked and look.torrent.size_bytes and is_for_anime(look.stored)
        ]
        found: dict[int, Found] = {}
        with suppress(RemoteError):
            for look in fresh[:MOST_ASKED]:
                found[look.stored.id] = await self._probing.listed(look.torrent)
        return [look.listed(found[look.stored.id]) if look.stored.id in found else look for look in looks]

    async def _excuse(self, looks: Sequence[_Look], there: int) -> str:
        """What errors and lost files come from if not from the torrents themselves; empty where it is they."""
        failed = [look for look in looks if look.torrent.phase in (Phase.ERROR, Phase.MISSING)]
        if not failed:
            return ""
        disk, room = await self._library.space.disk(), max(FULL_BYTES, self._library.space.floor_bytes)
        if disk is None and self._library.space.was_seen:
            return "the disk of the downloads is not there just now"
        if self._library.guard.is_low or (disk is not None and disk.free_bytes < room):
            return "the disk is full; it goes on once there is room"
        if len(failed) >= MANY and len(failed) * 2 > there:
            log.warning("most torrents fail at once: is the download directory there?", failed=len(failed))
            return "most torrents fail at once, so it is the disk"
        return ""

    def _judged(self, look: _Look, now: datetime, excuse: str) -> _Look:
        seen = look.now.seen if self._settings.probe else replace(look.now.seen, trouble="")
        still = "it waits for its turn" if look.stored.waits_turn else ""
        waits = excuse or ("it waits for room on the disk" if look.stored.held_back else still)
        found = judge(seen, look.torrent, self._settings, now, excuse=waits)
        since = look.now.since if look.now.verdict is found.verdict else now
        known = replace(look.now, verdict=found.verdict, cause=found.cause, why=found.why, since=since)
        return replace(look, now=known)

    # The table

    async def _known(self) -> dict[int, _Known]:
        async with self._database.begin(NOBODY) as tx:
            return {row.torrent_id: _read(row) for row in await tx.scalars(select(ObservationRow))}

    async def _select(self, verdicts: Collection[Verdict]) -> tuple[_Known, ...]:
        its = select(ObservationRow).where(ObservationRow.verdict.in_(verdicts))
        async with self._database.begin(NOBODY) as tx:
            rows = await tx.scalars(its.order_by(ObservationRow.since, ObservationRow.torrent_id))
            return tuple(map(_read, rows))

    async def _write(self, looks: Sequence[_Look]) -> None:
        changed = [_known_as(look.before) | _values(look.now) for look in looks if look.before is not None]
        if changed:
            async with self._database.begin(NOBODY) as tx:
                await (await tx.connection()).execute(_CHANGE, changed)
        new = [look.now for look in looks if look.before is None]
        try:
            await self._insert(new)
        except IntegrityError:  # one of them was given up meanwhile, or another daemon was first
            for one in new:
                with suppress(IntegrityError):
                    await self._insert([one])

    async def _insert(self, new: Iterable[_Known]) -> None:
        rows = [ObservationRow(torrent_id=one.torrent_id, **_values(one)) for one in new]
        if rows:
            async with self._database.begin(NOBODY) as tx:
                tx.add_all(rows)

    async def _note_content(self, torrent_id: int, found: Found) -> None:
        its = update(ObservationRow).where(ObservationRow.torrent_id == torrent_id, ObservationRow.trouble == "")
        told = (
            {"verdict": Verdict.BROKEN, "cause": Cause.CONTENT, "why": found.trouble, "since": self._now()}
            if found.trouble
            else {}
        )
        async with self._database.begin(NOBODY) as tx:
            await tx.execute(its.values(looked=CONTENT, trouble=found.trouble, **told))


# Whoever looked into the content meanwhile knows better: then nothing is changed before the next look.
_CHANGE = update(ObservationRow).where(
    ObservationRow.torrent_id == bindparam("its_id"),
    ObservationRow.looked == bindparam("its_looked"),
    ObservationRow.trouble == bindparam("its_trouble"),
)


def _known_as(before: _Known) -> dict[str, Any]:
    return {"its_id": before.torrent_id, "its_looked": before.looked, "its_trouble": before.seen.trouble}


def _read(row: ObservationRow) -> _Known:
    seen = Observation(
        first_at=row.first_at, seen_at=row.seen_at, completed_bytes=row.completed_bytes, phase=Phase(row.phase),
        still_s=row.still_s, seedless_s=row.seedless_s, refusal=row.refusal, trouble=row.trouble,
    )  # fmt: skip
    return _Known(
        row.torrent_id, row.infohash, seen, row.looked, Verdict(row.verdict), Cause(row.cause), row.why, row.since
    )


def _values(known: _Known) -> dict[str, Any]:
    """Everything but the key."""
    own = {name: getattr(known, name) for name in ("infohash", "looked", "verdict", "cause", "why", "since")}
    return own | {field.name: getattr(known.seen, field.name) for field in fields(Observation)}


def _joined(known: Iterable[_Known], every: Iterable[Stored]) -> tuple[Unwell, ...]:
    stored = {one.id: one for one in every}
    return tuple(
        Unwell(
            one.torrent_id,
            stored[one.torrent_id].infohash,
            stored[one.torrent_id].name,
            one.verdict,
            one.cause,
            one.why,
            one.since,
            is_complete=stored[one.torrent_id].completed_at is not None,
            completed_bytes=one.seen.completed_bytes,
        )
        for one in known
        if one.torrent_id in stored
    )


def _is_news(torrent: Torrent, now: datetime) -> bool:
    """Whether it became complete lately."""
    return torrent.is_complete and torrent.completed_at is not None and now - torrent.completed_at < NEWS


def _is_unread(known: _Known) -> bool:
    """Whether its content is still to be looked into."""
    return known.looked != CONTENT and not known.seen.trouble
