"""Making and changing a feed rule, and trying it out before it takes anything."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.events import DescendantFocus
from textual.widgets import Input

from uuutorrent.automation.feeds import Tried
from uuutorrent.automation.rule import Rule, Saving, Terms
from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid, UuuError
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.dialogs import Dialog, Pasted, Typed
from uuutorrent.tui.feedwords import FIELDS, read, shown
from uuutorrent.tui.figures import count, size
from uuutorrent.tui.line import Line, Span
from uuutorrent.tui.table import Table

LONGEST = 4096
_ABOUT = {"url": "An RSS or Atom feed, for example a search of Nyaa's."}
TRIED = (
    Column("mark", "", 1),
    Column("title", "In the feed now", 30, flex=2),
    Column("why", "", 20, flex=1),
    Column("size", "Size", 8, align="right", priority=1),
)


class RuleDialog(Dialog[Rule]):
    """A line for each part of a rule; the answer is the rule, which is kept by then."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Up", id="rule.up", show=False),
        Binding("down", "app.focus_next", "Down", id="rule.down", show=False),
    ]

    def __init__(self, desk: Desk, rule: Rule | None = None, *, url: str = "", saving: Saving | None = None) -> None:
        super().__init__("Change a feed rule" if rule else "Add a feed rule")
        self.desk = desk
        self._rule = rule
        self._url = rule.url if rule else url
        self._terms, self._saving = (rule.terms, rule.saving) if rule else (Terms(), saving or Saving())
        self.add_class("form")

    def body(self) -> ComposeResult:
        """The address, the fields, and words about the one that is typed at."""
        values = shown(self._terms, self._saving)
        with VerticalScroll(can_focus=False):
            with Horizontal(classes="field"):
                yield Line("Feed", classes="label")
                yield Pasted(self._url, placeholder="https://…", id="url", compact=True, max_length=LONGEST)
            for field in FIELDS:
                with Horizontal(classes="field"):
                    yield Line(field.label, classes="label")
                    yield Typed(
                        values[field.name], placeholder=field.hint, id=field.name, compact=True, max_length=LONGEST
                    )
        yield Line(id="hint")

    @on(DescendantFocus)
    def _explain(self, event: DescendantFocus) -> None:
        about = _ABOUT | {field.name: field.about for field in FIELDS}
        self.query_one("#hint", Line).set(Span(f"  {about.get(event.widget.id or '', '')}", "dim"))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._keep({field.id: field.value for field in self.query(Input) if field.id})

    @work(group="keep", exclusive=True)
    async def _keep(self, typed: dict[str, str]) -> None:
        self.busy("Keeping it…")
        feeds, user = self.desk.feeds, self.desk.user
        try:
            terms, saving = read(typed)
            if self._rule is None:
                rule = await feeds.add(user, typed["url"], terms, saving)
            else:
                rule = await feeds.change(user, self._rule.id, url=typed["url"], terms=terms, saving=saving)
        except UuuError as e:
            self.failed(e)
            if isinstance(e, Invalid) and e.field in typed:
                self.query_one(f"#{e.field}").focus()
            return
        self.dismiss(rule)


class TryDialog(Dialog[None]):
    """What a rule says to everything in its feed just now; nothing is taken."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Close", id="try.close")]

    def __init__(self, desk: Desk, rule: Rule) -> None:
        super().__init__(f"What rule {rule.id} would take")
        self.desk = desk
        self._rule = rule
        self.add_class("large")

    def body(self) -> ComposeResult:
        """The items of the feed."""
        yield Table(TRIED, empty="")

    def on_mount(self) -> None:
        """Ask the feed at once."""
        self._ask()

    @work(group="try", exclusive=True)
    async def _ask(self) -> None:
        self.busy("Reading the feed…")
        try:
            tried = await self.desk.feeds.try_out(self.desk.user, self._rule.id)
        except UuuError as e:
            self.failed(e)
            return
        table, fits = self.query_one(Table), sum(not one.complaints for one in tried)
        table.say_empty("The feed is empty.")
        table.set_rows([_row(number, one) for number, one in enumerate(tried)])
        self.status.say(f"{fits} of {count(len(tried), 'item')} would be taken.")


def _row(number: int, tried: Tried) -> Row:
    fits, item = not tried.complaints, tried.item
    why = "; ".join(tried.complaints) or (f"episode {tried.episode}" if tried.episode is not None else "fits")
    cells = (
        Piece("✓", "good") if fits else Piece("✗", "bad"),
        item.title if fits else Piece(item.title, "dim"),
        Piece(why, "good" if fits else "dim"),
        size(item.size_bytes) if item.size_bytes else "",
    )
    return Row(str(number), cells)
