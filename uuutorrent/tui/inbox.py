"""The inbox: what happened by itself, newest first, and what waits for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.inbox.notice import Notice
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.tui import notices
from uuutorrent.tui.dialogs import Ask, Choice
from uuutorrent.tui.figures import count
from uuutorrent.tui.line import Line, Span
from uuutorrent.tui.panel import Panel, Status, said
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.tui.table import Table
from uuutorrent.tui.torrents import TorrentsScreen
from uuutorrent.tui.watching import WatchingScreen

LOOK_S = 15.0
"""How often it is read anew while somebody looks, beside whenever something is told."""
PAGE = 100
"""Notices that are read at once; going to the last one reads as many more."""
NOBODYS = "Nothing yet. What finishes, fails or needs a choice of yours stands here."


class Notices(Table):
    """The notices; Enter goes to what one is about."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Go there", id="inbox.open", tooltip="To the torrent or the show it is about."),
    ]


class InboxScreen(DeskScreen):
    """Somebody's notices, and what they may answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"answer('{choice}')", choice.title(), id=f"inbox.{choice}", tooltip=f"Answer: {choice}.")
            for choice, key in notices.KEYS.items()
        ),
        Binding(notices.OTHER, "answer_other", "Choose", id="inbox.choose", tooltip="Choose one of its answers."),
        Binding("space,m", "see", "Seen", id="inbox.see", tooltip="It was seen: go on to the next."),
        Binding("a", "see_all", "All seen", id="inbox.see_all", tooltip="All of it was seen."),
        Binding("u", "only_new", "New, all", id="inbox.new", tooltip="Only what was not seen yet, or all again."),
        Binding("R,f5", "refresh", "Refresh", id="inbox.refresh", show=False, tooltip="Read it anew."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._notices: tuple[Notice, ...] = ()
        self._answering: set[int] = set()
        self._is_new_only = False
        self._limit = PAGE

    def body(self) -> ComposeResult:
        """How many there are, the notices, and all of the one under the cursor."""
        yield Line(id="mail")
        yield Status()
        yield Notices(notices.COLUMNS, empty="")
        yield Panel(id="notice")

    async def follow(self) -> None:
        """Read it now and then."""
        while True:
            await self._load()
            await asyncio.sleep(LOOK_S)

    @property
    def here(self) -> Notice | None:
        """The notice under the cursor."""
        key = self.query_one(Notices).key
        return next((notice for notice in self._notices if str(notice.id) == key), None)

    # --- answering

    def action_answer(self, choice: str) -> None:
        """Choose for the one under the cursor."""
        if (here := self.here) is not None:
            self._begin(here, choice)

    @work(group="dialog", exclusive=True)
    async def action_answer_other(self) -> None:
        """Choose among answers that have no keys of their own."""
        if (here := self.here) is None:
            return
        choices = [Choice(str(n), choice, choice) for n, choice in enumerate(here.choices, 1)]
        answer = await self.app.push_screen_wait(Ask("Choose", said(here.text, wraps=True), choices=choices))
        if answer is not None:
            self._begin(here, answer)

    def _begin(self, notice: Notice, choice: str) -> None:
        """Answer, unless an answer to it is on its way: a key that is pressed twice answers once."""
        if notice.id not in self._answering:
            self._answering.add(notice.id)
            self._answer(notice, choice)

    @work(group="answer")
    async def _answer(self, notice: Notice, choice: str) -> None:
        status = self.query_one(Status)
        status.say("Doing it…", busy=True)
        try:
            told, is_done = await self.desk.answers.answer(self.desk.user, notice.id, choice), True
        except UuuError as e:
            told, is_done = e.message, False
        finally:
            self._answering.discard(notice.id)
        await self._load()
        status.say(told, "good" if is_done else "bad")

    # --- seen, and not

    @work(group="see")
    async def action_see(self) -> None:
        """The one under the cursor was seen; go on to the next."""
        if (here := self.here) is not None:
            self.query_one(Notices).action_move(1)
            await self._see([here.id])

    @work(group="see")
    async def action_see_all(self) -> None:
        """All of it was seen."""
        await self._see(None)

    async def _see(self, ids: Collection[int] | None) -> None:
        await self.desk.inbox.see(self.desk.user, ids)
        await self._load()

    def action_only_new(self) -> None:
        """Show only what was not seen yet, or all again."""
        self._is_new_only = not self._is_new_only
        self.action_refresh()

    @work(group="load", exclusive=True)
    async def action_refresh(self) -> None:
        """Read it anew."""
        await self._load()

    # --- going there

    @on(Table.Selected)
    @work(group="go", exclusive=True)
    async def _go(self) -> None:
        if (here := self.here) is None:
            return
        if here.infohash and await self._holds(here.infohash):
            await self._see([here.id])
            await self.app.switch_mode("torrents")
            if isinstance(screen := self.app.screen, TorrentsScreen):
                screen.go(here.infohash)
        elif here.media_id is not None:
            await self._see([here.id])
            await self.app.switch_mode("watchlist")
            if isinstance(screen := self.app.screen, WatchingScreen):
                screen.go(MediaId(here.media_id))
        else:
            self.shell.toast("There is nothing to go to: the torrent is not among yours any more.")

    async def _holds(self, infohash: str) -> bool:
        return await self.desk.library.claimed(self.desk.user, infohash) is not None

    # --- showing

    async def _load(self) -> None:
        inbox, user = self.desk.inbox, self.desk.user
        status = self.query_one(Status)
        try:
            self._notices = await inbox.of(user, unseen=self._is_new_only, limit=self._limit)
            unseen = await inbox.unseen(user)
        except UuuError as e:
            status.say(f"{e.message.rstrip('.')}. R tries again.")
            return
        self.shell.waiting = {**self.shell.waiting, "inbox": unseen}
        now = datetime.now(UTC)
        table = self.query_one(Notices)
        table.say_empty("Nothing new. u shows all." if self._is_new_only else NOBODYS)
        table.set_rows([notices.row(notice, now) for notice in self._notices])
        self._show_totals(unseen)
        self._explain()

    def _show_totals(self, unseen: int) -> None:
        waits = sum(notice.is_open for notice in self._notices)
        spans = [Span(f"  {unseen} new" if unseen else "  nothing new", "accent" if unseen else "dim")]
        spans += [Span(f"  {count(waits, 'choice')} to make", "warn")] if waits else []
        right = [Span("only new  ", "warn", "screen.only_new")] if self._is_new_only else []
        self.query_one("#mail", Line).set(*spans, right=right)

    @on(Table.Highlighted)
    def _explain(self) -> None:
        here = self.here
        lines = notices.about(here) if here else ()
        self.query_one("#notice", Panel).fill(*lines)
        self.refresh_bindings()
        is_last = here is not None and here is self._notices[-1]
        if is_last and len(self._notices) == self._limit:
            self._limit += PAGE
            self.action_refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not offered."""
        if action not in ("answer", "answer_other", "see", "see_all"):
            return True
        if not self.is_mounted or (here := self.here) is None:
            return False
        if action == "answer":
            return here.is_open and parameters[0] in here.choices
        if action == "answer_other":
            return here.is_open and any(choice not in notices.KEYS for choice in here.choices)
        return not here.is_seen if action == "see" else any(not notice.is_seen for notice in self._notices)
