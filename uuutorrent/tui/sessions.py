"""Where one is signed in: seeing that, and ending it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from uuutorrent.accounts import Key
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.presence import Here
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.dialogs import Ask, Choice, Dialog
from uuutorrent.tui.figures import ago, count, size
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import said
from uuutorrent.tui.table import Table

COLUMNS = (
    Column("by", "Signed in by", 16, flex=1),
    Column("ip", "From", 15),
    Column("since", "Since", 12),
    Column("open", "Open there", 14, priority=2, flex=1),
    Column("sent", "Sent", 9, align="right", priority=1),
)
LOOK_S = 2.0
"""How often they are looked at."""


class SessionsDialog(Dialog[None]):
    """The list of sessions, as it is at each moment."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x,delete", "end", "End it", id="sessions.end"),
        Binding("o", "others", "End all others", id="sessions.others"),
        Binding("escape", "cancel", "Close", id="sessions.close"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__("Where you are signed in")
        self.desk = desk
        self._keys: tuple[Key, ...] = ()
        self.add_class("large")

    def body(self) -> ComposeResult:
        """The sessions."""
        yield Table(COLUMNS, empty="")

    def on_mount(self) -> None:
        """Look now and then."""
        self._load()
        self.set_interval(LOOK_S, self._show)

    @work(group="sessions", exclusive=True)
    async def _load(self) -> None:
        try:
            self._keys = await self.desk.accounts.keys(self.desk.user)
        except UuuError as e:
            self.failed(e)
        self._show()

    def _show(self) -> None:
        now = datetime.now(UTC)
        self.query_one(Table).set_rows([self._row(here, now) for here in self.desk.presence.of(self.desk.user)])

    def _row(self, here: Here, now: datetime) -> Row:
        activity = here.activity()
        by = f"{'here: ' if here is self.desk.here else ''}{signed_in_by(here, self._keys)}"
        doors = ", ".join(activity.doors) or "nothing"
        cells = (by, here.ip, ago(here.since, now), Piece(doors, "dim"), size(activity.sent))
        return Row(str(here.id), cells)

    @work(group="dialog", exclusive=True)
    async def action_end(self) -> None:
        """End the one under the cursor."""
        which = self.query_one(Table).key
        here = next((one for one in self.desk.presence.of(self.desk.user) if str(one.id) == which), None)
        if here is None:
            return
        text = (
            said(Span(signed_in_by(here, self._keys), "accent"), f" from {here.ip}"),
            said("Whatever is open in it ends at once: screens, commands and transfers.", wraps=True),
        )
        choices = (Choice("x", "End it", "end", is_grave=True),)
        if await self.app.push_screen_wait(Ask("End this session?", *text, choices=choices)):
            try:
                self.desk.presence.end(self.desk.here, here.id)
            except UuuError as e:
                self.failed(e)
            self._show()

    def action_others(self) -> None:
        """End all but this one."""
        ended = self.desk.presence.end_others(self.desk.here)
        self.status.say(f"Ended {count(ended, 'other session')}.", "good")
        self._show()


def signed_in_by(here: Here, keys: tuple[Key, ...]) -> str:
    """The key by the name its owner gave it, or how else."""
    comment = next((key.comment for key in keys if key.fingerprint == here.fingerprint), "")
    return comment or here.fingerprint or here.method
