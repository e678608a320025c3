"""Making and changing a feed rule, and trying it out before it takes anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from uuutorrent.automation.feeds.feeds import Tried
from uuutorrent.automation.feeds.rule import Rule, Saving, Terms
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.dialogs import Dialog
from uuutorrent.tui.feedwords import FIELDS, read, shown
from uuutorrent.tui.figures import count, size
from uuutorrent.tui.form import Field, FormDialog
from uuutorrent.tui.table import Table

ADDRESS = Field("url", "Feed", "https://…", "An RSS or Atom feed, for example a search of Nyaa's.", str, str)
TRIED = (
    Column("mark", "", 1),
    Column("title", "In the feed now", 30, flex=2),
    Column("why", "", 20, flex=1),
    Column("size", "Size", 8, align="right", priority=1),
)


class RuleDialog(FormDialog[Rule]):
    """A line for each part of a rule; the answer is the rule, which is kept by then."""

    DOING = "Keeping it…"

    def __init__(self, desk: Desk, rule: Rule | None = None, *, url: str = "", saving: Saving | None = None) -> None:
        terms, saves = (rule.terms, rule.saving) if rule else (Terms(), saving or Saving())
        values = {ADDRESS.name: rule.url if rule else url, **shown(terms, saves)}
        super().__init__("Change a feed rule" if rule else "Add a feed rule", (ADDRESS, *FIELDS), values)
        self.desk = desk
        self._rule = rule

    async def keep(self, typed: Mapping[str, str]) -> Rule:
        """Make the rule, or change it."""
        feeds, user, url = self.desk.feeds, self.desk.user, typed[ADDRESS.name]
        terms, saving = read(typed)
        if self._rule is None:
            return await feeds.add(user, url, terms, saving)
        return await feeds.change(user, self._rule.id, url=url, terms=terms, saving=saving)


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
