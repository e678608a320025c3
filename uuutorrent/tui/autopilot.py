"""The autopilot: what it does, the plan before it does anything, and what it is after at the moment."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.autopilot.pursuit import Confirmed, Plan, Pursuit, State
from uuutorrent.automation.preferences import Mode
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.tui import flights
from uuutorrent.tui.dialogs import Ask, Choice, Dialog
from uuutorrent.tui.figures import count
from uuutorrent.tui.line import Line, LineStyle, Span
from uuutorrent.tui.panel import Panel, said
from uuutorrent.tui.table import Table

LOOK_S = 5.0
"""How often what it is after is read anew while somebody looks."""
_KEYS = {Mode.OFF: "o", Mode.ASK: "a", Mode.ON: "n"}


class AutopilotDialog(Dialog[None]):
    """The mode, and what it is after."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mode", "Off, ask, on", id="autopilot.mode", tooltip="What it does with new episodes."),
        Binding("p", "plan", "Plan", id="autopilot.plan", tooltip="What aired already, and could be taken now."),
        Binding("t", "decide('take')", "Take", id="autopilot.take", tooltip="Take this episode."),
        Binding("s", "decide('skip')", "Skip", id="autopilot.skip", tooltip="Leave this episode out."),
        Binding("escape", "cancel", "Close", id="autopilot.close"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__("Autopilot")
        self.desk = desk
        self.mode = Mode.OFF
        self._own: Mapping[MediaId, Mode] = {}
        self._pursuits: tuple[Pursuit, ...] = ()
        self._asked_for: set[MediaId] = set()
        """The shows whose names were asked for."""
        self.add_class("large")

    def body(self) -> ComposeResult:
        """The modes, what it is after, and all of the one under the cursor."""
        yield Line(id="modes")
        yield Table(flights.AFTER, empty="")
        yield Panel(id="flight")

    def on_mount(self) -> None:
        """Read everything now and then."""
        self._read()
        self.set_interval(LOOK_S, self._read)

    @property
    def here(self) -> Pursuit | None:
        """What is under the cursor."""
        key = self.query_one(Table).key
        return next((one for one in self._pursuits if str(one.id) == key), None)

    # --- what one may do

    @work(group="dialog", exclusive=True)
    async def action_mode(self) -> None:
        """Turn it off, let it ask, or turn it on."""
        choices = [
            Choice(_KEYS[mode], f"{mode.value.title()}: {words}", mode.value) for mode, words in flights.MODES.items()
        ]
        answer = await self.app.push_screen_wait(Ask("What the autopilot does", choices=choices))
        if answer is not None:
            await self._switch(Mode(answer))

    def action_set_mode(self, mode: str) -> None:
        """The mode that was clicked."""
        self._switch_to(Mode(mode))

    @work(group="dialog", exclusive=True)
    async def _switch_to(self, mode: Mode) -> None:
        await self._switch(mode)

    @work(group="dialog", exclusive=True)
    async def action_plan(self) -> None:
        """See what could be taken now; taken it is only where that is said."""
        await self._confirm(self.mode if self.mode is not Mode.OFF else Mode.ON)

    async def _switch(self, mode: Mode) -> None:
        if self.mode is Mode.OFF and mode is not Mode.OFF:
            await self._confirm(mode)
        elif mode is not self.mode:
            await self._set(mode, None)

    async def _confirm(self, mode: Mode) -> None:
        confirmed = await self.app.push_screen_wait(PlanDialog(self.desk, mode, is_first=self.mode is Mode.OFF))
        if confirmed is not None:
            await self._set(mode, confirmed)

    async def _set(self, mode: Mode, confirmed: Confirmed | None) -> None:
        self.busy("Looking at your list…")
        try:
            told = await self.desk.autopilot.switch(self.desk.user, mode, confirmed=confirmed)
        except UuuError as e:
            self.failed(e)
            return
        await self._load()
        self.status.say(told, "good")

    @work(group="decide", exclusive=True)
    async def action_decide(self, choice: str) -> None:
        """Take the episode under the cursor, or leave it out."""
        if (here := self.here) is None:
            return
        try:
            told = await self.desk.autopilot.decide_here(self.desk.user, here.id, choice)
        except UuuError as e:
            self.failed(e)
            return
        await self._load()
        self.status.say(told, "good")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is not over can be taken or left out."""
        if action != "decide" or not self.is_mounted:
            return True
        return self.here is not None and self.here.state in (State.OFFERED, State.WANTED)

    # --- what is shown

    @work(group="read", exclusive=True)
    async def _read(self) -> None:
        await self._load()

    async def _load(self) -> None:
        autopilot, user = self.desk.autopilot, self.desk.user
        try:
            self.mode = (await self.desk.preferences.of(user)).autopilot
            self._own = await autopilot.modes(user)
            self._pursuits = tuple(flights.in_order(await autopilot.pursuits(user)))
        except UuuError as e:
            self.failed(e)
            return
        self._show()
        if unknown := {one.media_id for one in self._pursuits} - self._asked_for:
            self._asked_for |= unknown
            self._read_titles(unknown)

    @work(group="titles")
    async def _read_titles(self, unknown: set[MediaId]) -> None:
        """Ask once for the names of shows: AniList may take its time for those that nobody looked at lately."""
        await self.desk.autopilot.titles(unknown)
        self._show()

    def _show(self) -> None:
        now, table = datetime.now(UTC), self.query_one(Table)
        spans = [Span(" ")]
        for mode in Mode:
            style: LineStyle = "here" if mode is self.mode else "dim"
            spans += [Span(" "), Span(mode.value.title(), style, f"screen.set_mode('{mode.value}')"), Span(" ")]
        own = f" · otherwise for {count(len(self._own), 'show')}" if self._own else ""
        self.query_one("#modes", Line).set(*spans, Span(f"  {flights.MODES[self.mode]}{own}", "dim"))
        is_off = self.mode is Mode.OFF and not self._own
        table.say_empty(
            "It is off: m switches it on, and shows a plan first." if is_off else "It is after nothing just now."
        )
        table.set_rows([flights.pursuit_row(one, self._title(one), now) for one in self._pursuits])
        self._explain()

    def _title(self, one: Pursuit) -> str:
        return self.desk.autopilot.title(one.media_id)

    @on(Table.Highlighted)
    def _explain(self) -> None:
        here = self.here
        lines = flights.pursuit_about(here, self._title(here), datetime.now(UTC)) if here else ()
        self.query_one("#flight", Panel).fill(*lines)
        self.refresh_bindings()


class PlanDialog(Dialog[Confirmed]):
    """What would be taken now, as it becomes known; the answer is what of it is to be taken."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "take_all", "Take all of it", id="plan.all", tooltip="Take it, and what airs from now on."),
        Binding("n", "only_new", "Only new episodes", id="plan.new", tooltip="Take nothing of it, only what airs."),
    ]

    def __init__(self, desk: Desk, mode: Mode, *, is_first: bool) -> None:
        super().__init__(f"Switching the autopilot to {mode.value}: this aired already" if is_first else "The plan")
        self.desk = desk
        self._is_first = is_first
        self._plan: Plan | None = None
        self.add_class("large")

    def body(self) -> ComposeResult:
        """The episodes, all of the one under the cursor, and what they come to."""
        yield Table(flights.PLANNED, empty="")
        yield Panel(id="flight")
        yield Panel(id="sum")

    def on_mount(self) -> None:
        """Make the plan at once."""
        self._make()

    @work(group="plan", exclusive=True)
    async def _make(self) -> None:
        self.busy("Reading your list…")
        try:
            async with aclosing(self.desk.autopilot.plan(self.desk.user)) as growing:
                async for plan in growing:
                    self._plan = plan
                    self._show(plan)
        except UuuError as e:
            self.failed(e)

    def _show(self, plan: Plan) -> None:
        table = self.query_one(Table)
        table.say_empty("Nothing of what aired is missing." if plan.is_whole else "")
        table.set_rows([flights.planned_row(number, one) for number, one in enumerate(plan.planned)])
        self.query_one("#sum", Panel).fill(*flights.planned_sum(plan))
        if plan.is_whole:
            self.status.say("Nothing is taken before you say so.", "dim")
        else:
            self.busy(f"Looking at show {plan.looked_at + 1} of {plan.shows}…")
        self._explain()

    @on(Table.Highlighted)
    def _explain(self) -> None:
        key, planned = self.query_one(Table).key, self._plan.planned if self._plan else ()
        lines = flights.planned_about(planned[int(key)]) if key is not None and int(key) < len(planned) else ()
        self.query_one("#flight", Panel).fill(*lines)
        self.refresh_bindings()

    def action_take_all(self) -> None:
        """Take all of it."""
        self.dismiss(Confirmed.ALL)

    def action_only_new(self) -> None:
        """Take only what airs from now on."""
        self.dismiss(Confirmed.NEW)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """All of it can be taken once all of it is known; with nothing in it there is nothing to take."""
        if action == "take_all":
            return self._plan is not None and self._plan.is_whole and bool(self._plan.planned)
        return self._is_first and self._plan is not None if action == "only_new" else True


def of_show(title: str, default: Mode, own: Mode | None) -> Ask:
    """The question what to do for one show; answers a mode, or "default"."""
    now = f"Now: {own.value}, only for it." if own else f"Now: {default.value}, as for all shows."
    choices = [Choice("d", f"As for all shows ({default.value})", "default")]
    choices += [
        Choice(_KEYS[mode], f"{mode.value.title()}: {words}", mode.value) for mode, words in flights.MODES.items()
    ]
    return Ask("The autopilot, for one show", said(Span(title, "accent")), said(Span(now, "dim")), choices=choices)
