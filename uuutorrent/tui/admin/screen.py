"""The admins' screen: a row of sections, the rows of one of them, and words about the row under the cursor.

Whoever is no admin sees nothing of it, however they came there; who is one no more, from the next look on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from uuutorrent.desk import Desk
from uuutorrent.errors import Refused, UuuError
from uuutorrent.secondfactors import StepUp
from uuutorrent.tui.admin import panic
from uuutorrent.tui.admin.around import FeedsSection, ServicesSection
from uuutorrent.tui.admin.blocked import BlocksSection
from uuutorrent.tui.admin.chores import ChoresSection
from uuutorrent.tui.admin.corrected import CorrectionsSection
from uuutorrent.tui.admin.gauges import GaugesSection
from uuutorrent.tui.admin.invites import InvitesSection
from uuutorrent.tui.admin.notes import NotesSection
from uuutorrent.tui.admin.penalties import PenaltiesSection
from uuutorrent.tui.admin.people import PeopleSection
from uuutorrent.tui.admin.section import Section
from uuutorrent.tui.admin.visitors import VisitorsSection
from uuutorrent.tui.line import Line, LineStyle, Span
from uuutorrent.tui.panel import Panel, Status
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.tui.table import Table

LOOK_S = 3.0
"""How often it is looked again while somebody looks."""
SECTIONS: tuple[type[Section], ...] = (
    PeopleSection,
    InvitesSection,
    VisitorsSection,
    ServicesSection,
    ChoresSection,
    FeedsSection,
    PenaltiesSection,
    BlocksSection,
    CorrectionsSection,
    GaugesSection,
    NotesSection,
)


class Listed(Table):
    """The rows of a section."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Do", id="admin.do", tooltip="What can be done with it."),
        Binding("tab,right,l", "screen.turn(1)", "Next", id="admin.next", priority=True, tooltip="The next section."),
        Binding("shift+tab,left,h", "screen.turn(-1)", "Before", id="admin.before", priority=True, show=False),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No key where nothing can be done with a row."""
        if action == "select" and isinstance(self.screen, AdminScreen):
            return self.screen.here.acts
        return super().check_action(action, parameters)


class AdminScreen(DeskScreen):
    """What only admins see and do."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "New", id="admin.add", tooltip="Make a user, or an invitation."),
        Binding("slash", "search", "Look for", id="admin.search", tooltip="Only what has these words."),
        Binding("exclamation_mark", "panic", "Panic", id="admin.panic", tooltip="Pause everything, or let it go on."),
        Binding("R,f5", "refresh", "Refresh", id="admin.refresh", show=False, tooltip="Look again."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._sections = tuple(section(desk) for section in SECTIONS)
        self._at = 0
        self._asked = False
        """A code was asked for since the last one was given."""

    def body(self) -> ComposeResult:
        """The sections, the rows, and words about one."""
        yield Line(id="sections")
        yield Status()
        yield Listed(self.here.columns, empty="")
        yield Panel(id="office")

    async def follow(self) -> None:
        """Look now and then."""
        self._show_sections()
        is_allowed = True
        while is_allowed:
            is_allowed = await self._look()
            await asyncio.sleep(LOOK_S)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No key for what cannot be done in this section."""
        can = {"add": bool(self.here.adds), "search": self.here.searches}
        return can.get(action, True)

    def action_turn(self, by: int) -> None:
        """Go to another section."""
        self.action_go((self._at + by) % len(self._sections))

    def action_go(self, which: int) -> None:
        """Go to this section."""
        self._at = which
        self.query_one(Listed).set_columns(self.here.columns, empty="", marks=False)
        self.query_one("#office", Panel).fill()
        self._show_sections()
        self.refresh_bindings()
        self.action_refresh()

    def action_refresh(self) -> None:
        """Look again, and ask for a code again if one is due."""
        self._asked = False
        self.on_screen_suspend()
        self.on_screen_resume()

    def action_add(self) -> None:
        """Make something new."""
        self._do(self.here.add(self))

    def action_panic(self) -> None:
        """Have everything stand still, or go on."""
        self._do(panic.turn(self))

    def action_search(self) -> None:
        """Look for something in this section."""
        self._do(self.here.search(self))

    @on(Table.Selected)
    def _open(self, event: Table.Selected) -> None:
        if self.here.acts:
            self._do(self.here.open(self, event.key))

    @work(group="dialog", exclusive=True)
    async def _do(self, doing: Awaitable[None]) -> None:
        """Do it, show how things are then, and say what went wrong."""
        wrong = ""
        try:
            await doing
        except UuuError as e:
            wrong = e.message
        await self._look()
        if wrong:
            self.query_one(Status).say(wrong, "bad")

    @work(group="dialog", exclusive=True)
    async def _unlock(self) -> None:
        try:
            await self.admin()
        except UuuError as e:
            self.query_one(Status).say(f"{e.message}. R asks again.")
            return
        self.action_refresh()

    @property
    def here(self) -> Section:
        """The section that is shown."""
        return self._sections[self._at]

    async def _look(self) -> bool:
        """Show how it is now; False: they may not look, so that there is no use in looking again."""
        here, table, status = self.here, self.query_one(Listed), self.query_one(Status)
        try:
            rows = await here.look(await self.desk.admin(), self.size.width)
        except StepUp:
            table.set_rows(())
            if not self._asked:
                self._asked = True
                self._unlock()
        except UuuError as e:
            table.say_empty("")
            table.set_rows(())
            status.say(f"{e.message.rstrip('.')}. R tries again.", "bad")
            self._explain()
            return not isinstance(e, Refused)
        else:
            if here is self.here:
                status.say("")
                table.say_empty(here.empty)
                table.set_rows(rows)
        self._explain()
        return True

    @on(Table.Highlighted)
    def _explain(self) -> None:
        key = self.query_one(Listed).key
        self.query_one("#office", Panel).fill(*(self.here.about(key) if key else ()))

    def _show_sections(self) -> None:
        titles = [f" {section.title} " for section in self._sections]
        first = 0
        while first < self._at and sum(map(len, titles[first : self._at + 1])) + 2 > self.size.width:
            first += 1  # those on the left give way to the one that is shown
        spans = [Span("…" if first else " ", "dim")]
        for number, title in enumerate(titles[first:], first):
            style: LineStyle = "here" if number == self._at else ""
            spans.append(Span(title, style, f"screen.go({number})"))
        self.query_one("#sections", Line).set(*spans)

    def on_resize(self) -> None:
        """The titles may have more room, or less."""
        self._show_sections()
