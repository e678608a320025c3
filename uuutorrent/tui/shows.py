"""Looking a show up on AniList, and putting it on the list."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from uuutorrent.anime.anime import Anime, MediaId, WatchEntry, WatchStatus
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.dialogs import Dialog, Typed
from uuutorrent.tui.entries import LABELS
from uuutorrent.tui.table import Table

COLUMNS = (
    Column("title", "Title", 16, flex=2),
    Column("english", "", 12, flex=1, priority=3),
    Column("format", "Format", 9, priority=2),
    Column("year", "Year", 4, priority=1),
    Column("episodes", "Eps", 4, align="right"),
)
_SAID = {"FINISHED": "", "RELEASING": "airing", "NOT_YET_RELEASED": "soon"}


class Results(Table):
    """What was found; Enter adds."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Add", id="shows.add"),
    ]


class AddShowDialog(Dialog[WatchEntry]):
    """Type a title, choose a show; the answer is its entry, which is on the list by then."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "plan", "Add as planned", id="shows.plan"),
        Binding("slash", "title", "Another title", id="shows.title"),
        Binding("down", "to_results", "To the shows", id="shows.down", show=False),
    ]

    def __init__(self, desk: Desk, status: WatchStatus) -> None:
        super().__init__("Add a show")
        self.desk = desk
        self._target = status
        self._shows: dict[str, Anime] = {}
        self.add_class("large")

    def body(self) -> ComposeResult:
        """What to look for, and what was found."""
        yield Typed(placeholder="title, in any language", compact=True, max_length=200)
        yield Results(COLUMNS, empty="")

    @on(Input.Submitted)
    def _look_up(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._search(event.value)

    @work(group="search", exclusive=True)
    async def _search(self, text: str) -> None:
        self.busy("Asking AniList…")
        try:
            found = await self.desk.watchlists.search(self.desk.user, text)
        except UuuError as e:
            self.failed(e)
            return
        self.status.say("" if found else "AniList knows no such show. Try fewer words, or another title of it.")
        self._shows = {str(anime.media_id): anime for anime in found}
        results = self.query_one(Results)
        results.set_rows([_row(anime) for anime in found])
        if found:
            results.focus()

    @on(Table.Selected)
    def _chosen(self, event: Table.Selected) -> None:
        self._add(event.key, self._target)

    def action_plan(self) -> None:
        """Put the show under the planned ones."""
        if (key := self.query_one(Results).key) is not None:
            self._add(key, WatchStatus.PLANNING)

    def action_title(self) -> None:
        """Look for another title."""
        self.query_one(Input).focus()

    def action_to_results(self) -> None:
        """From the line to what was found."""
        self.query_one(Results).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While one types, keys are letters."""
        return not isinstance(self.focused, Input) if action in ("plan", "title") else True

    def _add(self, key: str, status: WatchStatus) -> None:
        self._write(self._shows[key].media_id, status)

    @work(group="add", exclusive=True)
    async def _write(self, media_id: MediaId, status: WatchStatus) -> None:
        self.busy(f"Adding it under {LABELS[status]}…")
        try:
            entry = await self.desk.watchlists.add(self.desk.user, media_id, status)
        except UuuError as e:
            self.failed(e)
            return
        self.dismiss(entry)


def _row(anime: Anime) -> Row:
    other = next((title for title in (anime.english, anime.romaji, anime.native) if title and title != anime.title), "")
    kind = " ".join(filter(None, (anime.format.replace("_", " "), _SAID.get(anime.status, ""))))
    cells = (anime.title, Piece(other, "dim"), Piece(kind, "dim"), str(anime.year or ""), str(anime.episodes or "?"))
    return Row(str(anime.media_id), cells)
