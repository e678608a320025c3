"""Who is here now: everybody's sessions on this server, and ending them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from uuutorrent.desk import Desk
from uuutorrent.presence import Here
from uuutorrent.tui.admin.section import Section, sure
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.figures import ago, moment, size
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.users import Admin


class VisitorsSection(Section):
    """Everybody who is connected to this server."""

    title = "Sessions"
    columns: ClassVar[Sequence[Column]] = (
        Column("id", "Nr", 4, align="right"),
        Column("name", "Name", 10, flex=1),
        Column("ip", "From", 15),
        Column("since", "Since", 12, priority=1),
        Column("open", "Open there", 14, flex=1),
        Column("sent", "Sent", 9, align="right", priority=2),
    )
    empty = "Nobody is here."
    acts = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._here: Mapping[str, Here] = {}

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """The oldest first."""
        now = datetime.now(UTC)
        self._here = {str(here.id): here for here in self.desk.presence.every(by)}
        return [self._row(here, now) for here in self._here.values()]

    def about(self, key: str) -> Sequence[Said]:
        """How somebody came in, and what went each way."""
        if (here := self._here.get(key)) is None:
            return ()
        activity = here.activity()
        by = f"by {here.method}" + (f", key {here.fingerprint}" if here.fingerprint else "")
        return (
            said(Span(here.user.name, "accent"), f" since {moment(here.since)}, {by}", wraps=True),
            said(Span(f"{size(activity.sent)} sent, {size(activity.received)} received", "dim")),
        )

    async def open(self, screen: DeskScreen, key: str) -> None:
        """End one."""
        here = self._here.get(key)
        if here is None:
            return
        mine = " It is the one you are in." if here is self.desk.here else ""
        text = f"Whatever is open in it ends at once: screens, commands and transfers.{mine}"
        if await sure(screen, f"End session {key} of {here.user.name}, from {here.ip}?", text, do="End it"):
            await self.desk.end_session(await screen.admin(), here.id)
            screen.shell.toast(f"Ended session {key} of {here.user.name}.")

    def _row(self, here: Here, now: datetime) -> Row:
        activity = here.activity()
        doors = ", ".join(activity.doors) or "nothing"
        name = f"{here.user.name}{' (you)' if here is self.desk.here else ''}"
        return Row(
            str(here.id), (str(here.id), name, here.ip, ago(here.since, now), Piece(doors, "dim"), size(activity.sent))
        )
