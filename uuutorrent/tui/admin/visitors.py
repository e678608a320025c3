"""Who is here now: everybody's sessions on this server, and ending them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from uuutorrent.desk import Desk
from uuutorrent.presence import LONGEST_MESSAGE, Here
from uuutorrent.tui.admin.section import Section, sure
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.dialogs import Ask, Choice
from uuutorrent.tui.figures import ago, count, moment, size
from uuutorrent.tui.form import Field, FormDialog
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.users import Admin

TEXT = Field("text", "Text", "", "They read that it is from the admins; the audit says from whom.", str, str)


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
        """Say something there, or end it."""
        if (here := self._here.get(key)) is None:
            return
        choices = (
            Choice("m", "Say something on its screen", "message"),
            Choice("a", "Say something to everybody who sits at a screen", "all"),
            Choice("x", "End it", "end", is_grave=True),
        )
        text = said(Span(here.user.name, "accent"), f" from {here.ip}")
        match await screen.app.push_screen_wait(Ask("What about this session?", text, choices=choices)):
            case "message":
                await self._say(screen, key, here)
            case "all":
                await self._say_to_all(screen)
            case "end":
                await self._end(screen, key, here)

    async def _say_to_all(self, screen: DeskScreen) -> None:
        await screen.admin()
        if told := await screen.app.push_screen_wait(MessageDialog(self.desk, "Say something to everybody")):
            screen.shell.toast(f"It stands on {count(told, 'screen')} now.")

    async def _say(self, screen: DeskScreen, key: str, here: Here) -> None:
        await screen.admin()
        title = f"Say something to {here.user.name}"
        if await screen.app.push_screen_wait(MessageDialog(self.desk, title, here.id)):
            screen.shell.toast(f"It stands on the screen of {here.user.name}, session {key}.")

    async def _end(self, screen: DeskScreen, key: str, here: Here) -> None:
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


class MessageDialog(FormDialog[int]):
    """What to say to whoever sits at the screens of a session, or of all; the answer is of how many sessions."""

    DOING = "Saying it…"

    def __init__(self, desk: Desk, title: str, which: int | None = None) -> None:
        super().__init__(title, (TEXT,), {}, longest=LONGEST_MESSAGE)
        self._desk = desk
        self._which = which

    async def keep(self, typed: Mapping[str, str]) -> int:
        """Say it."""
        return len(await self._desk.message(await self._desk.admin(), typed[TEXT.name], self._which))
