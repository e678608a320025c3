"""The torrents as they are seen: the table, its order and filter, the pane below. `torrents` is what one can do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from uuutorrent.automation.health.observations import Unwell
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.secondfactors import StepUp
from uuutorrent.torrents.engine import InfoHash
from uuutorrent.torrents.holdings import Holding
from uuutorrent.torrents.usage import Usage
from uuutorrent.tui import held
from uuutorrent.tui.detail import PARTS, Detail, Part, Parts
from uuutorrent.tui.filter import Filter, matches
from uuutorrent.tui.line import Line, Span
from uuutorrent.tui.panel import Status
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.tui.small import NARROW
from uuutorrent.tui.table import Table
from uuutorrent.users import Admin

HEALTH_S = 10.0
"""How often it is looked how the downloads do, while somebody looks."""
RETRY_S = 5.0
"""Pause after the torrents could not be read."""


class Torrents(Table):
    """The torrents; Enter opens the pane."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,d", "select", "Details", id="torrents.details", tooltip="Files, trackers and peers."),
    ]


class DownloadsScreen(DeskScreen):
    """Shows somebody's torrents as they change, and one of them from near."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("S", "reverse", "Reverse", id="torrents.reverse", show=False, tooltip="The other way round."),
        Binding("left,h", "turn(-1)", "Part before", id="torrents.part_before", priority=True, show=False),
        Binding("right,l", "turn(1)", "Next part", id="torrents.next_part", priority=True, show=False),
        Binding("t", "timeline", "Timeline", id="torrents.timeline", tooltip="What happened to it, and undoing that."),
        Binding("R,f5", "refresh", "Refresh", id="torrents.refresh", show=False, tooltip="Look now."),
        Binding(
            "A", "everybodys", "Everybody's", id="torrents.all", show=False, tooltip="Everybody's torrents (admins)."
        ),
        Binding("escape", "close", "Close", id="torrents.close", tooltip="Close the pane, or show all again."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.holdings: tuple[Holding, ...] = ()
        """All there are, the newest first."""
        self.needle = ""
        """What is looked for among their names."""
        self.is_everybodys = False
        self._by_key: dict[str, Holding] = {}
        self._unwell: Mapping[InfoHash, Unwell] = {}
        self._usage: Usage | None = None
        self._counted: frozenset[str] | None = None
        """The torrents the usage was asked for."""
        self._sought = ""
        """The torrent the cursor shall go to."""
        self._was_complete = False
        """The torrent under the cursor, when it was shown last."""
        self._order = held.ORDERS[0]
        self._is_reversed = False

    def body(self) -> ComposeResult:
        """All in one line, trouble, and the table."""
        yield Line(id="totals")
        yield Status()
        yield Torrents(held.COLUMNS, marks=True, empty="", id="torrents")

    @property
    def table(self) -> Torrents:
        """The torrents."""
        return self.query_one(Torrents)

    @property
    def detail(self) -> Detail | None:
        """The pane, while it is open."""
        return next(iter(self.query(Detail)), None)

    @property
    def here(self) -> Holding | None:
        """The torrent under the cursor."""
        return self._by_key.get(self.table.key or "")

    @property
    def _ill(self) -> Unwell | None:
        """What is not well about it."""
        here = self.here
        return self._unwell.get(here.infohash) if here is not None else None

    @property
    def chosen(self) -> list[Holding]:
        """The marked torrents, or else the one under the cursor."""
        keys = self.table.marked or ([self.table.key] if self.table.key else [])
        return [self._by_key[key] for key in keys if key in self._by_key]

    # --- following

    def on_mount(self) -> None:
        """Follow what the app knows of the engine."""
        self.watch(self.app, "trouble", self._show_trouble)
        self.set_interval(HEALTH_S, self._look_at_health)

    async def follow(self) -> None:
        """Show the torrents whenever anything about them changes."""
        self._look_at_health()
        if self.detail is not None:
            self.detail.look()
        while True:
            try:
                async for holdings in self._followed():
                    self.holdings = holdings
                    self._show()
            except UuuError as e:
                self.query_one(Status).say(e.message)
            await asyncio.sleep(RETRY_S)

    @on(events.ScreenSuspend)
    def _rest(self) -> None:
        """What is not seen is not looked at."""
        if self.detail is not None:
            self.workers.cancel_group(self.detail, "details")

    def go(self, infohash: str) -> None:
        """Put the cursor on a torrent, as soon as it is there."""
        self.needle, self._sought = "", infohash
        self._show()

    async def _followed(self) -> AsyncIterator[tuple[Holding, ...]]:
        if not self.is_everybodys:
            async for holdings in self.shell.paced(self.desk.library.follow(self.desk.user)):
                yield holdings
            return
        if (admin := await self._still_admin()) is None:
            async for holdings in self._followed():
                yield holdings
            return
        async for _snapshot in self.shell.paced(self.desk.live.changes()):
            yield await self.desk.library.all(admin)

    @work(group="usage", exclusive=True)
    async def _count_usage(self) -> None:
        self._usage = await self.desk.library.usage(self.desk.user)
        self._show_totals()

    def _look_at_health(self) -> None:
        if self.is_current:
            self._read_health()

    @work(group="health", exclusive=True)
    async def _read_health(self) -> None:
        observations = self.desk.observations
        if self.is_everybodys:
            if (admin := await self._still_admin()) is None:
                self._follow_anew()
                return
            self._unwell = {one.infohash: one for one in await observations.every(admin)}
        else:
            with suppress(UuuError):
                self._unwell = await observations.of(self.desk.user)
        self._show()

    def _show_trouble(self, trouble: str) -> None:
        at = self.desk.live.snapshot.at
        seen = f" It was last seen at {at:%H:%M:%S} UTC, and what you see is from then." if at else ""
        self.query_one(Status).say(f"{trouble.rstrip('.')}.{seen}" if trouble else "")
        self._show()

    # --- showing

    def _show(self) -> None:
        kept = [holding for holding in self.holdings if matches(self.needle, holding.name, *holding.owners)]
        ordered = held.in_order(kept, self._order, reverse=self._is_reversed)
        self._by_key = {holding.infohash: holding for holding in ordered}
        self.table.say_empty(self._nothing())
        self.table.set_rows([held.row(holding, self._unwell.get(holding.infohash)) for holding in ordered])
        if self._sought and self.table.go(self._sought):
            self._sought = ""
        self._show_totals()
        if self.detail is not None:
            self.detail.show(self.here, self._ill)
        if (is_complete := self.here is not None and self.here.is_complete) != self._was_complete:
            self._was_complete = is_complete
            self.refresh_bindings()
        if (now := frozenset(holding.infohash for holding in self.holdings)) != self._counted:
            self._counted = now
            self._count_usage()

    def _show_totals(self) -> None:
        right = [Span(f"filter: {self.needle}  ", "warn")] if self.needle else []
        if self.table.marked:
            right.append(Span(f"{len(self.table.marked)} marked  ", "accent"))
        if self.size.width >= NARROW:
            right.append(Span(f"by {self._order.name}  ", "dim", "screen.sort"))
        whose = [Span("  everybody's", "warn")] if self.is_everybodys else []
        self.query_one("#totals", Line).set(*whose, *held.totals(self.holdings, self._usage), right=right)

    def _nothing(self) -> str:
        if self.holdings:
            return f"No name here has “{self.needle}” in it. Escape shows all."
        return "No torrents yet. Fetch an episode under 1 Watchlist, or press a and paste a magnet."

    @on(Table.Highlighted, "#torrents")
    @on(Table.Marked, "#torrents")
    def _other_torrent(self) -> None:
        self._show_totals()
        if self.detail is not None:
            self.detail.show(self.here, self._ill)
        self.refresh_bindings()

    # --- the pane

    @on(Table.Selected, "#torrents")
    async def _toggle_detail(self) -> None:
        if self.detail is not None:
            self._close_detail()
        else:
            await self._open_detail()

    async def _open_detail(self) -> Detail | None:
        if self.detail is None and self.here is not None:
            detail = Detail(self.desk)
            await self.mount(detail, after="#torrents")
            self.add_class("with-detail")
            detail.show(self.here, self._ill)
            self.refresh_bindings()
        return self.detail

    async def action_timeline(self) -> None:
        """Show what happened to the torrent under the cursor, and go there."""
        if (detail := await self._open_detail()) is not None:
            self.action_show_part("timeline")
            detail.query_one(Parts).focus()

    def action_turn(self, by: int) -> None:
        """To the next of files, trackers, peers and the timeline, or the one before."""
        if self.detail is not None:
            self.detail.turn(by)

    def action_show_part(self, part: Part) -> None:
        """To files, trackers, peers or the timeline."""
        if self.detail is not None:
            self.detail.turn(PARTS.index(part) - PARTS.index(self.detail.part))

    def action_close(self) -> None:
        """Close the pane, or show all again."""
        if self.detail is not None:
            self._close_detail()
        else:
            self.needle = ""
            self._show()

    def _close_detail(self) -> None:
        self.query(Detail).remove()
        self.remove_class("with-detail")
        self.table.focus()
        self.call_after_refresh(self.refresh_bindings)

    # --- order and filter

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._sort_by(held.ORDERS[(held.ORDERS.index(self._order) + 1) % len(held.ORDERS)])

    def action_reverse(self) -> None:
        """Sort the other way round."""
        self._sort_by(self._order, is_reversed=not self._is_reversed)

    @on(Table.SortAsked, "#torrents")
    def _sort_asked(self, event: Table.SortAsked) -> None:
        for order in held.ORDERS:
            if order.column == event.column:
                self._sort_by(order, is_reversed=order is self._order and not self._is_reversed)

    def _sort_by(self, order: held.Order, *, is_reversed: bool = False) -> None:
        self._order, self._is_reversed = order, is_reversed
        self.table.show_sort(order.column or None, descending=order.descending != is_reversed)
        self._show()

    async def action_filter(self) -> None:
        """Type what to look for: what is typed next is it, however fast it comes."""
        if not self.query(Filter):
            await self.mount(Filter(self.needle), before="#keys")
        self.set_focus(self.query_one(Filter))

    @on(Input.Changed, "Filter")
    def _narrow(self, event: Input.Changed) -> None:
        self.needle = event.value
        self._show()

    @on(Input.Submitted, "Filter")
    def _filtered(self) -> None:
        self.query(Filter).remove()
        self.table.focus()

    @on(Filter.Cleared)
    def _widen(self) -> None:
        self.needle = ""
        self._show()
        self._filtered()

    # --- whose, and how fresh

    @work(group="whose", exclusive=True)
    async def action_everybodys(self) -> None:
        """Show everybody's torrents, or only one's own again (admins)."""
        if not self.is_everybodys:
            await self.admin()
        self.is_everybodys = not self.is_everybodys
        self._follow_anew()

    def _follow_anew(self) -> None:
        self.on_screen_suspend()
        self.on_screen_resume()

    async def _still_admin(self) -> Admin | None:
        """Proof for everybody's torrents; None once a code is due again, and then they are one's own."""
        with suppress(StepUp):
            return await self.desk.admin()
        self.is_everybodys = False
        self.shell.toast("These are your own torrents again. A shows everybody's, and asks for a code.")
        return None

    def action_refresh(self) -> None:
        """Look now."""
        self.shell.hurry()
        self.desk.live.poke()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not offered; while one types they are letters."""
        if isinstance(self.focused, Input):
            return False
        if action in ("turn", "show_part"):
            return self.detail is not None
        if action == "timeline":
            return self.is_mounted and self.here is not None
        if action == "close":
            return self.detail is not None or bool(self.needle)
        return self.desk.user.is_admin if action == "everybodys" else True
