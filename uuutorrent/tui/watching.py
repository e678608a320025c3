"""The watchlist as it is seen: its parts, its shows, a card of the one under the cursor.

What one can do with it is in `watchlist`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Input
from textual.worker import Worker

from uuutorrent.anime.anime import MediaId, WatchEntry, Watchlist, WatchStatus
from uuutorrent.anime.watchlist import Link
from uuutorrent.automation.autopilot.flightplan import mode_for
from uuutorrent.automation.preferences import Mode
from uuutorrent.desk import Desk
from uuutorrent.errors import RemoteError, UuuError
from uuutorrent.torrents.holdings import Holding
from uuutorrent.tui import entries
from uuutorrent.tui.entries import LABELS, View
from uuutorrent.tui.fetch import Fetch
from uuutorrent.tui.figures import day
from uuutorrent.tui.filter import Filter, matches
from uuutorrent.tui.line import Line, LineStyle, Span
from uuutorrent.tui.panel import WHEEL, WHEEL_S, Panel, Said, Status, said
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.tui.small import LOW
from uuutorrent.tui.table import Table

STATUSES = tuple(LABELS)
COUNT_DOWN_S = 30.0
"""How often the times until episodes air are shown anew."""
REREAD_S = 900.0
"""How often a list that is looked at is asked for again. Everybody's lists share AniList's few requests a minute."""
RETRY_S = 5.0
"""Pause after the database failed to say what is held."""


class Shows(Table):
    """The shows; Enter fetches."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Fetch", id="watchlist.fetch", tooltip="Fetch the next episode you have not seen."),
    ]


class WatchingScreen(DeskScreen):
    """Shows one part of somebody's watchlist at a time, and what is held and fetched of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab,right,l", "turn(1)", "Next list", id="watchlist.next", priority=True, show=False),
        Binding("shift+tab,left,h", "turn(-1)", "Previous list", id="watchlist.previous", priority=True, show=False),
        Binding("R,f5", "refresh", "Refresh", id="watchlist.refresh", show=False, tooltip="Ask for the list anew."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.status = WatchStatus.CURRENT
        """The part of the list that is shown."""
        self.needle = ""
        """What is looked for among its titles."""
        self.fetches: dict[MediaId, Fetch] = {}
        self.wanted: dict[MediaId, int] = {}
        """Progress as the person has it, where it is not written yet."""
        self._lists: dict[WatchStatus, Watchlist] = {}
        self._link: Link | None = None
        self.default_mode = Mode.OFF
        """What the autopilot does for shows of which nothing else was said."""
        self.modes: Mapping[MediaId, Mode] = {}
        """What it does for those of which something was."""
        self._holdings: dict[int | None, list[Holding]] = {}
        self._views: dict[str, View] = {}
        self._sought = ""
        """The show the cursor shall go to."""
        self._asking: Worker[None] | None = None
        self._asked_at = 0.0
        self._wheel: Timer | None = None
        self._frame = 0

    def body(self) -> ComposeResult:
        """The parts of the list, the shows, and a card of the one under the cursor."""
        yield Line(id="lists")
        yield Status()
        yield Shows(entries.COLUMNS, id="shows")
        yield Panel(id="card")

    @property
    def view(self) -> View | None:
        """The show under the cursor."""
        return self._views.get(self.query_one(Shows).key or "")

    @property
    def is_loading(self) -> bool:
        """The list is being asked for."""
        return self._asking is not None and not self._asking.is_finished

    # --- asking

    def on_mount(self) -> None:
        """Begin to count down."""
        self.set_interval(COUNT_DOWN_S, self._count_down)

    @on(events.ScreenResume)
    def _come_back(self) -> None:
        """Show the list as it is now."""
        self.load()

    async def follow(self) -> None:
        """Follow what is held of the shows."""
        while True:
            try:
                async for holdings in self.shell.paced(self.desk.library.follow(self.desk.user)):
                    self._hold(holdings)
            except UuuError as e:
                self.query_one(Status).say(e.message)
            await asyncio.sleep(RETRY_S)

    def load(self, *, refresh: bool = False) -> None:
        """Ask for this part of the list."""
        self._asking = self._load(self.status, refresh=refresh)
        self.turn_wheel()

    def stop_loading(self) -> None:
        """Ask no longer; what was there stays."""
        if self._asking is not None:
            self._asking.cancel()

    @work(group="list", exclusive=True)
    async def _load(self, status: WatchStatus, *, refresh: bool) -> None:
        trouble = ""
        try:
            self._link = await self.desk.watchlists.link_of(self.desk.user)
            self._lists[status] = await self.desk.watchlists.list(self.desk.user, (status,), refresh=refresh)
            await self._read_modes()
            trouble = self._lists[status].stale
            if trouble:
                trouble = f"{trouble.rstrip('.')}. R tries again."
        except RemoteError as e:
            trouble = f"{e.message.rstrip('.')}. R tries again."
        except UuuError as e:
            trouble = e.message
        self._asked_at = time.monotonic()
        self.query_one(Status).say(trouble or self._warning())
        self.show_all()

    async def _read_modes(self) -> None:
        self.modes = await self.desk.autopilot.modes(self.desk.user)
        self.default_mode = (await self.desk.preferences.of(self.desk.user)).autopilot

    def _warning(self) -> str:
        link = self._link
        if link is None or not link.expires_soon or link.expires_at is None:
            return ""
        return f"AniList forgets this sign-in on {day(link.expires_at)}. Link it anew under 5 Account."

    def _hold(self, holdings: Sequence[Holding]) -> None:
        before, self._holdings = self._holdings, {}
        for holding in holdings:
            self._holdings.setdefault(holding.media_id, []).append(holding)
        seen = {view.anime.media_id for view in self._views.values()}
        if any(before.get(media_id) != self._holdings.get(media_id) for media_id in seen):
            self.show_all()

    # --- changes made from here

    def amend(self, entry: WatchEntry) -> None:
        """Show an entry as it is now; one that is in another part of the list now is not in this one."""
        for status, listed in self._lists.items():
            now = [entry if one.anime.media_id == entry.anime.media_id else one for one in listed.entries]
            self._lists[status] = replace(listed, entries=tuple(one for one in now if one.status is status))
        self.show_all()

    def forget(self, media_id: MediaId) -> None:
        """A show is off the list."""
        for status, listed in self._lists.items():
            kept = tuple(one for one in listed.entries if one.anime.media_id != media_id)
            self._lists[status] = replace(listed, entries=kept)
        self.show_all()

    # --- showing

    def show_all(self) -> None:
        """Show everything as it is now."""
        if not self.query(Shows):  # the session is ending around a worker
            return
        now = datetime.now(UTC)
        listed = self._lists.get(self.status)
        views = [self._view(entry, now) for entry in listed.entries] if listed else []
        ordered = entries.in_order([view for view in views if matches(self.needle, *view.anime.titles)])
        self._views = {str(view.anime.media_id): view for view in ordered}
        table = self.query_one(Shows)
        table.say_empty(self._nothing())
        table.set_rows([entries.row(view) for view in ordered])
        if self._sought and table.go(self._sought):
            self._sought = ""
        self._show_lists()
        self._show_card()

    def turn_wheel(self) -> None:
        """Something goes on: turn the wheel until it is over."""
        if self._wheel is None:
            self._wheel = self.set_interval(WHEEL_S, self._turn)
        self.show_all()
        self.refresh_bindings()

    def _view(self, entry: WatchEntry, now: datetime) -> View:
        media_id = entry.anime.media_id
        return View(
            entry=entries.with_progress(entry, self.wanted.get(media_id)),
            now=now,
            holdings=tuple(self._holdings.get(media_id, ())),
            fetch=self.fetches.get(media_id),
            frame=self._frame,
            is_saving=media_id in self.wanted,
            mode=mode_for(entry, self.default_mode, self.modes.get(media_id)),
            is_own_mode=media_id in self.modes,
        )

    def _show_lists(self) -> None:
        spans = [Span(" ")]
        for status, label in LABELS.items():
            style: LineStyle = "here" if status is self.status else "dim"
            spans += [Span(" "), Span(label, style, f"screen.show_list('{status.value}')"), Span(" ")]
        self.query_one("#lists", Line).set(*spans, right=[*self._whose(), Span("  ")])

    def _whose(self) -> list[Span]:
        if self.is_loading:
            return [Span(f"{WHEEL[self._frame]} asking", "accent")]
        if self.needle:
            return [Span(f"filter: {self.needle}", "warn")]
        if self._link is not None:
            return [Span(f"AniList: {self._link.anilist_name}", "dim")]
        return [Span("kept here", "dim")] if self._lists else []

    def _show_card(self) -> None:
        panel, view = self.query_one("#card", Panel), self.view
        if view is not None:
            panel.fill(*entries.card(view, width=self.size.width, low=self.size.height < LOW), self._steps(view))
        elif self.status is WatchStatus.CURRENT and self.status in self._lists and not self.needle:
            panel.fill(*_welcome(is_linked=self._link is not None))
        else:
            panel.fill()
        self.set_class(view is None and self.status in self._lists, "without-shows")

    def _steps(self, view: View) -> Said:
        fetch = view.fetch
        if fetch is None:
            return said()
        if fetch.trouble:
            return said(Span(f"✗ Episode {fetch.episode}: {fetch.trouble}", "bad"))
        if fetch.is_running:
            return said(*fetch.spans(self._frame), right=[Span("esc ", "key", "screen.give_up"), "cancels"])
        return said(*fetch.spans(self._frame), Span(fetch.grab.reason if fetch.grab else "", "dim"))

    def _nothing(self) -> str:
        if self.needle:
            return f"No title here has “{self.needle}” in it. Escape shows all."
        if self.status not in self._lists:
            return ""
        return "Nothing here yet." if self.status is WatchStatus.CURRENT else f"Nothing under {LABELS[self.status]}."

    def _turn(self) -> None:
        self._frame = (self._frame + 1) % len(WHEEL)
        is_fetching = any(fetch.is_running for fetch in self.fetches.values())
        if not is_fetching and not self.is_loading and self._wheel is not None:
            self._wheel.stop()
            self._wheel = None
            self.show_all()
            self.refresh_bindings()
        elif self.is_current and is_fetching:
            self.show_all()
        elif self.is_current:
            self._show_lists()

    def _count_down(self) -> None:
        if not self.is_current:
            return
        self.show_all()
        if time.monotonic() - self._asked_at > REREAD_S:
            self.load()

    # --- moving about

    def on_resize(self) -> None:
        """The card has less room on a low terminal."""
        self._show_card()

    @on(Table.Highlighted, "#shows")
    def _other_show(self) -> None:
        self._show_card()
        self.refresh_bindings()

    def action_turn(self, by: int) -> None:
        """To the next part of the list, or the one before."""
        self.action_show_list(STATUSES[(STATUSES.index(self.status) + by) % len(STATUSES)].value)

    def action_show_list(self, status: str) -> None:
        """To a part of the list."""
        self.status = WatchStatus(status)
        self.load()

    def action_refresh(self) -> None:
        """Ask for the list anew."""
        self.load(refresh=True)

    async def action_filter(self) -> None:
        """Type what to look for: what is typed next is it, however fast it comes."""
        if not self.query(Filter):
            await self.mount(Filter(self.needle), after="#card")
        self.set_focus(self.query_one(Filter))

    def go(self, media_id: MediaId) -> None:
        """Put the cursor on a show, as soon as it is there."""
        self._sought = str(media_id)
        self.look_for("")

    def look_for(self, needle: str) -> None:
        """Show only titles with these words; none of them: all."""
        self.needle = needle
        self.show_all()

    @on(Input.Changed, "Filter")
    def _narrow(self, event: Input.Changed) -> None:
        self.look_for(event.value)

    @on(Input.Submitted, "Filter")
    def _filtered(self) -> None:
        self.query(Filter).remove()
        self.query_one(Shows).focus()

    @on(Filter.Cleared)
    def _widen(self) -> None:
        self.look_for("")
        self._filtered()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While one types, keys are letters."""
        return action == "show_list" or not isinstance(self.focused, Input)


def _welcome(*, is_linked: bool) -> tuple[Said, ...]:
    add = said(Span(" a ", "key", "screen.add"), " look a show up by its title, and put it on the list")
    link = said(
        Span(" 5 ", "key", "app.show('account')"), " under Account, link AniList to keep the list you have there"
    )
    return (said(), add, *([] if is_linked else [link]), said(Span(" ? ", "key", "app.help"), " every key"))
