"""The releases of an episode, best first, with every reason, to choose one by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from uuutorrent.anime.anime import Anime
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.releases.release import Found, Kind, Match, Ranked
from uuutorrent.tui.cells import Cell, Column, Piece, Row, StyleName
from uuutorrent.tui.dialogs import Dialog
from uuutorrent.tui.figures import count, size
from uuutorrent.tui.line import Line, Span
from uuutorrent.tui.panel import Panel, Said, said
from uuutorrent.tui.table import Table

COLUMNS = (
    Column("verdict", "", 1),
    Column("title", "Release", 24, flex=1),
    Column("group", "Group", 12, flex=1, priority=4),
    Column("resolution", "Lines", 5, align="right", priority=2),
    Column("size", "Size", 8, align="right", priority=1),
    Column("seeders", "Seeds", 5, align="right"),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """The release that was chosen by hand, and for which episode."""

    episode: int
    infohash: str


class Candidates(Table):
    """The candidates; Enter takes one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Take it", id="releases.take", tooltip="Fetch this release."),
    ]


class ReleasesDialog(Dialog[Taken]):
    """Lists what the index has of an episode; the answer is the one to take."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "rejected", "Rejected too", id="releases.rejected", tooltip="Show or hide what does not fit."),
        Binding("left,minus,h", "other(-1)", "Episode before", id="releases.before", priority=True, show=False),
        Binding("right,plus,l", "other(1)", "Next episode", id="releases.next", priority=True, show=False),
        Binding("R,f5", "search", "Search again", id="releases.refresh", show=False),
    ]

    def __init__(self, desk: Desk, anime: Anime, episode: int) -> None:
        super().__init__(anime.title)
        self.desk = desk
        self.anime = anime
        self.episode = episode
        self._found: Found | None = None
        self._with_rejected = False
        self.add_class("large")

    def body(self) -> ComposeResult:
        """The candidates, and why the one under the cursor is where it is."""
        yield Candidates(COLUMNS, empty="")
        yield Panel(id="why")

    def on_mount(self) -> None:
        """Search at once."""
        self.action_search()

    def action_search(self) -> None:
        """Ask the index."""
        self._search(self.episode)

    def action_rejected(self) -> None:
        """Show or hide what does not fit."""
        self._with_rejected = not self._with_rejected
        self._show()

    def action_other(self, by: int) -> None:
        """Look for another episode."""
        episode = self.episode + by
        if 1 <= episode <= (self.anime.episodes or episode):
            self.episode, self._found = episode, None
            self._show()
            self.action_search()

    @work(group="search", exclusive=True)
    async def _search(self, episode: int) -> None:
        self._entitle()
        self.busy(f"Looking for episode {episode}…")
        try:
            found = await self.desk.releases.find(self.desk.user, self.anime.media_id, episode)
        except UuuError as e:
            self.failed(e)
            return
        self._found = found
        self._with_rejected = found.best is None
        self.status.say("" if found.best else found.said, "warn")
        self._show()

    @on(Table.Selected)
    def _take(self, event: Table.Selected) -> None:
        self.workers.cancel_node(self)
        self.dismiss(Taken(self.episode, event.key))

    @on(Table.Highlighted)
    def _explain(self) -> None:
        ranked = next((one for one in self._candidates if one.release.infohash == self.query_one(Candidates).key), None)
        self.query_one("#why", Panel).fill(*(_why(ranked) if ranked else ()))

    @property
    def _candidates(self) -> tuple[Ranked, ...]:
        every = self._found.candidates if self._found else ()
        return every if self._with_rejected else tuple(one for one in every if one.verdict is Match.MATCH)

    def _show(self) -> None:
        best = self._found.best if self._found else None
        table = self.query_one(Candidates)
        rejected = sum(one.verdict is Match.REJECT for one in self._found.candidates) if self._found else 0
        table.say_empty(f"Nothing fits. x shows {count(rejected, 'rejected release')}." if rejected else "")
        table.set_rows([_row(one, is_best=one is best) for one in self._candidates])
        self._entitle()
        self._explain()

    def _entitle(self) -> None:
        counts = ""
        if self._found is not None:
            fits = sum(one.verdict is Match.MATCH for one in self._found.candidates)
            counts = f"{fits} fit, {len(self._found.candidates) - fits} do not "
        spans = [Span(" Episode "), Span(f"‹ {self.episode} ›", "key"), Span(f" of {self.anime.title} ", "accent")]
        self.query_one(".title", Line).set(*spans, right=[Span(counts, "dim")])


def _row(ranked: Ranked, *, is_best: bool) -> Row:
    release, name = ranked.release, ranked.name
    fits = ranked.verdict is Match.MATCH
    tone: StyleName = "" if fits else "dim"
    mark: Cell = Piece("★", "accent") if is_best else Piece("✓", "good") if fits else Piece("✗", "bad")
    seeders = Piece(str(release.seeders), "bad" if not release.seeders else "good" if fits else "dim")
    cells: tuple[Cell, ...] = (
        mark,
        Piece(release.title, tone),
        Piece(name.group, tone),
        Piece(str(name.resolution or "?"), tone),
        Piece(size(release.size_bytes), tone),
        seeders,
    )
    return Row(release.infohash, cells)


def _why(ranked: Ranked) -> tuple[Said, ...]:
    release, name = ranked.release, ranked.name
    facts = [
        name.group or "no group named",
        f"{name.resolution}p" if name.resolution else "",
        name.source,
        name.codec,
        f"version {name.version}" if name.version > 1 else "",
        "batch" if name.kind is Kind.BATCH else "",
        size(release.size_bytes),
        f"{count(release.seeders, 'seeder')}, {count(release.leechers, 'leecher')}",
        "trusted" if release.trusted else "",
        "remake" if release.remake else "",
    ]
    verdict = Span("It fits: ", "good") if ranked.verdict is Match.MATCH else Span("Rejected: ", "bad")
    return (
        said(Span(release.title, "accent"), wraps=True),
        said(Span(" · ".join(fact for fact in facts if fact), "dim"), wraps=True),
        said(verdict, "; ".join(ranked.reasons) + ".", wraps=True),
    )
