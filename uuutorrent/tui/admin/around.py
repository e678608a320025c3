"""What is around us: the services that everything leans on, and the feeds that do not answer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from uuutorrent.automation.feeds.rule import Failing
from uuutorrent.desk import Desk
from uuutorrent.tally import Last
from uuutorrent.tui.admin.section import Section
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.figures import ago, count, took
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.users import Admin

DATABASE = "database"
NAMED = {"anilist": "AniList", "nyaa": "Nyaa", "qbittorrent": "qBittorrent", DATABASE: "Database"}
WORDS = {"ok": "answers", "error": "answers nonsense", "timeout": "does not answer", "throttled": "wants a pause"}


class ServicesSection(Section):
    """AniList, the index, qBittorrent and the database: how each answered last."""

    title = "Services"
    columns: ClassVar[Sequence[Column]] = (
        Column("mark", "", 1),
        Column("name", "Service", 12, flex=1),
        Column("state", "Last", 17),
        Column("took", "Took", 8, align="right"),
        Column("usual", "Usually", 8, align="right", priority=1),
        Column("failed", "Failed", 14, align="right", priority=2),
        Column("when", "When", 12),
    )

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._last: Mapping[str, Last] = {}

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """How each answered when it was last asked; the database is asked now."""
        began = time.perf_counter()
        await self.desk.accounts.get(by.user.id)
        self._last = {**self.desk.tally.requests, DATABASE: Last("ok", time.perf_counter() - began, time.time())}
        now = datetime.now(UTC)
        return [self._row(name, now) for name in NAMED]

    def about(self, key: str) -> Sequence[Said]:
        """What went wrong last."""
        last = self._last.get(key)
        lines = [said(Span(last.why, "bad"), wraps=True)] if last and last.why else []
        if key == "qbittorrent" and (trouble := self.desk.live.snapshot.trouble):
            lines.append(said(Span(trouble, "bad"), wraps=True))
        return lines or [said(Span("It was not asked yet." if last is None else "All is well.", "dim"))]

    def _row(self, name: str, now: datetime) -> Row:
        last = self._last.get(name)
        if last is None:
            return Row(name, (Piece("○", "dim"), NAMED[name], Piece("not asked yet", "dim"), "", "", "", ""))
        is_ok, at = last.outcome == "ok", datetime.fromtimestamp(last.at, UTC)
        cells = (
            Piece("●", "good") if is_ok else Piece("✗", "bad"),
            NAMED[name],
            Piece(WORDS.get(last.outcome, last.outcome), "" if is_ok else "bad"),
            took(last.seconds * 1000),
            self._usual(name),
            self._failed(name),
            ago(at, now),
        )
        return Row(name, cells)

    def _usual(self, name: str) -> str:
        """The mean of all requests of this daemon."""
        seen = self.desk.tally.distributions.get(("dependency_request_duration_seconds", (name,)))
        return took(seen.total / sum(seen.counts) * 1000) if seen else ""

    def _failed(self, name: str) -> str:
        counted = {
            outcome: self.desk.tally.counters.get(("dependency_requests", (name, outcome)), 0) for outcome in WORDS
        }
        every = sum(counted.values())
        return f"{every - counted['ok']:.0f} of {every:.0f}" if every else ""


class FeedsSection(Section):
    """Feeds that somebody follows and that do not answer."""

    title = "Feeds"
    columns: ClassVar[Sequence[Column]] = (
        Column("feed", "Feed that fails", 20, flex=1),
        Column("failures", "Times", 6, align="right"),
        Column("read", "Last read", 12),
    )
    empty = "Every feed answers."

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._failing: Mapping[str, Failing] = {}

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """Those that fail longest first."""
        failing, now = await self.desk.feeds.rulebook.failing(by), datetime.now(UTC)
        self._failing = {str(one.id): one for one in failing}
        return [
            Row(str(one.id), (one.shown_url, str(one.failures), ago(one.polled_at, now) if one.polled_at else "never"))
            for one in failing
        ]

    def about(self, key: str) -> Sequence[Said]:
        """What it says."""
        if (one := self._failing.get(key)) is None:
            return ()
        return (
            said(Span(one.shown_url, "accent"), right=[Span(count(one.failures, "failure"), "dim")]),
            said(Span(one.error, "bad"), wraps=True),
        )
