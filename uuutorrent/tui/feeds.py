"""Feed rules: what is taken from RSS and Atom feeds by itself, and what each rule did last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from uuutorrent.automation.feeds.rule import Outcome, Rule, Taking
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.tui.cells import Cell, Column, Piece, Row
from uuutorrent.tui.dialogs import Ask, Choice
from uuutorrent.tui.feedform import RuleDialog, TryDialog
from uuutorrent.tui.feedwords import in_words
from uuutorrent.tui.figures import ago, count
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Panel, Said, Status, said
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.tui.table import Table

LOOK_S = 5.0
"""How often the screen is brought up to date while somebody looks."""
TAKINGS_SHOWN = 5
COLUMNS = (
    Column("state", "", 1),
    Column("rule", "Takes", 20, flex=2),
    Column("feed", "Feed", 16, flex=1, priority=1),
    Column("taken", "Taken", 5, align="right"),
    Column("read", "Read", 9, priority=2),
)
_MARKS = {
    Outcome.TAKEN: Piece("✓", "good"), Outcome.FAILED: Piece("✗", "bad"), Outcome.WANTED: Piece("…", "warn"),
    Outcome.ALREADY: Piece("✓", "dim"),
}  # fmt: skip


class Rules(Table):
    """The rules; Enter changes one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Change", id="feeds.change", tooltip="Change this rule."),
    ]


class FeedsScreen(DeskScreen):
    """Somebody's feed rules, and what they may do with them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add", id="feeds.add", tooltip="A rule for a feed. Pasting its address works, too."),
        Binding("t", "try_out", "Try", id="feeds.try", tooltip="What it says to everything in its feed now."),
        Binding("p", "poll", "Look now", id="feeds.poll", tooltip="Look at all your feeds now, and take what fits."),
        Binding("o", "switch", "On, off", id="feeds.switch", tooltip="Let it take nothing for a while, or again."),
        Binding("x,delete", "remove", "Remove", id="feeds.remove", tooltip="Forget it; what it took stays yours."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rules: tuple[Rule, ...] = ()
        self._takings: tuple[Taking, ...] = ()

    def body(self) -> ComposeResult:
        """The rules, and what the one under the cursor took."""
        yield Status()
        yield Rules(COLUMNS, empty="No rules yet. Press a, and give the address of a feed.")
        yield Panel(id="rule")

    async def follow(self) -> None:
        """Read everything now and then."""
        while True:
            await self._load()
            await asyncio.sleep(LOOK_S)

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted here is the address of a feed."""
        if event.text.strip():
            self._ask_for_rule(" ".join(event.text.split()))

    def action_add(self) -> None:
        """Make a rule."""
        self._ask_for_rule("")

    @work(group="dialog", exclusive=True)
    async def _ask_for_rule(self, url: str) -> None:
        rule = await self.app.push_screen_wait(RuleDialog(self.desk, url=url))
        if rule is not None:
            await self._load()
            self.query_one(Rules).go(str(rule.id))
            self.shell.toast("The rule is kept. t shows what it would take.")

    @on(Table.Selected)
    def _change(self) -> None:
        if self._here is not None:
            self._ask_for_change(self._here)

    @work(group="dialog", exclusive=True)
    async def _ask_for_change(self, rule: Rule) -> None:
        if await self.app.push_screen_wait(RuleDialog(self.desk, rule)) is not None:
            await self._load()

    @work(group="dialog", exclusive=True)
    async def action_try_out(self) -> None:
        """Show what the rule under the cursor says to everything in its feed."""
        if self._here is not None:
            await self.app.push_screen_wait(TryDialog(self.desk, self._here))

    def action_poll(self) -> None:
        """Look at all feeds now; once at a time, for a look that is given up keeps its feed for a while."""
        if not any(worker.group == "poll" and worker.is_running for worker in self.workers):
            self._poll()

    @work(group="poll")
    async def _poll(self) -> None:
        status = self.query_one(Status)
        status.say("Looking at your feeds…", busy=True)
        try:
            polled = await self.desk.feeds.poll_now(self.desk.user)
        except UuuError as e:
            status.say(e.message, "bad")
            return
        status.say(" ".join(polled.errors), "bad")
        new = f"Took {count(len(polled.taken), 'item')}." if polled.taken else "Nothing new."
        self.shell.toast(f"{new} {count(polled.feeds, 'feed')} looked at.")
        await self._load()

    @work(group="switch", exclusive=True)
    async def action_switch(self) -> None:
        """Switch the rule under the cursor on or off."""
        if (here := self._here) is not None:
            await self._do(self.desk.feeds.rulebook.set_enabled(self.desk.user, here.id, on=not here.is_enabled))

    @work(group="dialog", exclusive=True)
    async def action_remove(self) -> None:
        """Forget the rule under the cursor."""
        if (here := self._here) is None:
            return
        text = (
            said(Span(here.shown_url, "accent"), wraps=True),
            said(Span(in_words(here.terms, here.saving), "dim"), wraps=True),
        )
        choices = (Choice("x", "Remove it; what it took stays yours", "remove", is_grave=True),)
        if await self.app.push_screen_wait(Ask("Remove this rule?", *text, choices=choices)):
            await self._do(self.desk.feeds.rulebook.remove(self.desk.user, here.id))

    async def _do(self, work: Awaitable[object]) -> None:
        """Do it, show how things are then, and say what went wrong."""
        wrong = ""
        try:
            await work
        except UuuError as e:
            wrong = e.message
        await self._load()
        self.query_one(Status).say(wrong, "bad")

    @property
    def _here(self) -> Rule | None:
        """The rule under the cursor."""
        key = self.query_one(Rules).key
        return next((rule for rule in self._rules if str(rule.id) == key), None)

    async def _load(self) -> None:
        book, user = self.desk.feeds.rulebook, self.desk.user
        try:
            self._rules, self._takings = await book.rules(user), await book.takings(user)
        except UuuError as e:
            self.query_one(Status).say(e.message, "bad")
            return
        now = datetime.now(UTC)
        self.query_one(Rules).set_rows([_row(rule, now) for rule in self._rules])
        self._explain()

    @on(Table.Highlighted)
    def _explain(self) -> None:
        here = self._here
        lines = _about(here, self._takings, datetime.now(UTC)) if here else ()
        self.query_one("#rule", Panel).fill(*lines)


def _row(rule: Rule, now: datetime) -> Row:
    state = Piece("✗", "bad") if rule.error else Piece("●", "good") if rule.is_enabled else Piece("○", "dim")
    read = (
        Piece("failed", "bad")
        if rule.error
        else ago(rule.polled_at, now)
        if rule.polled_at
        else Piece("not yet", "dim")
    )
    words: Cell = in_words(rule.terms, rule.saving)
    return Row(str(rule.id), (state, words, Piece(rule.shown_url, "dim"), str(rule.taken), read))


def _about(rule: Rule, takings: tuple[Taking, ...], now: datetime) -> tuple[Said, ...]:
    own = [one for one in takings if one.rule_id == rule.id][:TAKINGS_SHOWN]
    when = f"next look {rule.next_at:%H:%M} UTC" if rule.next_at else "switched off: it takes nothing"
    lines = [said(Span(rule.shown_url, "accent"), right=[Span(when, "dim")])]
    lines += [said(Span(rule.error, "bad"), wraps=True)] if rule.error else []
    lines += [said(Span("It took nothing so far.", "dim"))] if not own else []
    for one in own:
        mark = _MARKS[one.outcome]
        why = Span(f" {one.why}", "dim") if one.why else ""
        lines.append(said(Span(f"{mark.text} ", mark.style), one.title, why, right=[Span(ago(one.at, now), "dim")]))
    return tuple(lines)
