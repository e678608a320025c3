"""What is around us: the services that everything leans on, and the feeds that do not answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from uuutorrent.automation.feeds.rule import Failing
from uuutorrent.automation.upkeep.around import NAMED, Service
from uuutorrent.desk import Desk
from uuutorrent.tui.admin.section import Section
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.figures import ago, count, took
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.users import Admin

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
        self._services: Mapping[str, Service] = {}

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """How each answered when it was last asked; the database is asked now."""
        self._services = {one.name: one for one in await self.desk.around.services(by)}
        now = datetime.now(UTC)
        return [self._row(one, now) for one in self._services.values()]

    def about(self, key: str) -> Sequence[Said]:
        """What went wrong last."""
        if (one := self._services.get(key)) is None:
            return ()
        wrong = (one.last.why if one.last else "", one.trouble)
        lines = [said(Span(why, "bad"), wraps=True) for why in wrong if why]
        return lines or [said(Span("It was not asked yet." if one.last is None else "All is well.", "dim"))]

    def _row(self, one: Service, now: datetime) -> Row:
        name, last = one.name, one.last
        if last is None:
            return Row(name, (Piece("○", "dim"), NAMED[name], Piece("not asked yet", "dim"), "", "", "", ""))
        is_ok, at = last.outcome == "ok", datetime.fromtimestamp(last.at, UTC)
        cells = (
            Piece("●", "good") if is_ok else Piece("✗", "bad"),
            NAMED[name],
            Piece(WORDS.get(last.outcome, last.outcome), "" if is_ok else "bad"),
            took(last.seconds * 1000),
            "" if one.usual_s is None else took(one.usual_s * 1000),
            f"{one.failed} of {one.asked}" if one.asked else "",
            ago(at, now),
        )
        return Row(name, cells)


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
        failing, now = await self.desk.around.feeds(by), datetime.now(UTC)
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
