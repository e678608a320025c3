"""The releases of an episode, best first, with every reason: to choose one by hand, and to put right what is wrong."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from uuutorrent.anime.anime import Anime
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.releases.release import SURE, Found, Match, Offer, Ranked
from uuutorrent.torrents.usage import Usage
from uuutorrent.tui.cells import Cell, Column, Piece, Row, StyleName
from uuutorrent.tui.correcting import Fix, ask, fixes
from uuutorrent.tui.dialogs import Dialog
from uuutorrent.tui.figures import count, percent, size
from uuutorrent.tui.hints import hints
from uuutorrent.tui.line import Line, Span
from uuutorrent.tui.panel import Panel
from uuutorrent.tui.table import Table
from uuutorrent.tui.taste import ShowTasteDialog
from uuutorrent.tui.why import Why

COLUMNS = (
    Column("verdict", "", 1),
    Column("title", "Release", 30, flex=1),
    Column("group", "Group", 14, priority=4),
    Column("sure", "Sure", 5, align="right", priority=3),
    Column("resolution", "Lines", 5, align="right", priority=2),
    Column("size", "Size", 8, align="right", priority=1),
    Column("seeders", "Seeds", 5, align="right"),
)
PEN = "✎"
"""Before what somebody corrected."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The release that was chosen by hand, and for which episode; `whole`: everything a batch holds."""

    episode: int
    infohash: str
    whole: bool = False


class Candidates(Table):
    """The candidates; Enter takes one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Take it", id="releases.take", tooltip="Fetch this release."),
    ]


class ReleasesDialog(Dialog[Taken]):
    """Lists what the index has of an episode; the answer is the one to take."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "b", "batch", "Whole batch", id="releases.batch", show=False, tooltip="Fetch all of the batch on offer."
        ),
        Binding("y", "answer(True)", "Accept", id="releases.accept", show=False, tooltip="What others say is right."),
        Binding(
            "n", "answer(False)", "Decline", id="releases.decline", show=False, tooltip="What others say is wrong."
        ),
        Binding("x", "rejected", "Rejected too", id="releases.rejected", tooltip="Show or hide what does not fit."),
        Binding("c", "correct", "Correct", id="releases.correct", tooltip="Say what this release really is."),
        Binding("t", "taste", "Taste", id="releases.taste", tooltip="What you like of this show, where it differs."),
        Binding("question_mark", "app.help", "Help", id="releases.help", tooltip="Every key that does something here."),
        Binding("J,shift+down", "reasons(2)", "More reasons", id="releases.more", show=False),
        Binding("K,shift+up", "reasons(-2)", "Reasons above", id="releases.less", show=False),
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
        self._usage: Usage | None = None
        self._with_rejected = False
        self.add_class("large")

    def body(self) -> ComposeResult:
        """What to know beside them, the candidates, and why the one under the cursor is where it is."""
        yield Panel(id="hints")
        yield Candidates(COLUMNS, empty="")
        yield Why(id="why")

    def on_mount(self) -> None:
        """Search at once."""
        self.action_search()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not offered."""
        if action == "batch":
            return self._found is not None and self._found.batch is not None
        if action == "answer":
            return self._offer is not None
        return self._here is not None if action == "correct" else True

    # --- looking

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

    def action_reasons(self, by: int) -> None:
        """Go through the reasons, where there is not room for all."""
        self.query_one(Why).scroll_relative(y=by, animate=False, immediate=True)

    @work(group="search", exclusive=True)
    async def _search(self, episode: int) -> None:
        self._entitle()
        self.busy(f"Looking for episode {episode}…")
        try:
            found = await self.desk.releases.find(self.desk.user, self.anime.media_id, episode)
            self._usage = await self.desk.library.usage(self.desk.user)
        except UuuError as e:
            self.failed(e)
            return
        here, is_first = self.query_one(Candidates).key, self._found is None
        self._found = found
        # Whatever was under the cursor before stays in sight.
        is_hidden = any(one.release.infohash == here and one.verdict is Match.REJECT for one in found.candidates)
        self._with_rejected = found.best is None or (not is_first and (self._with_rejected or is_hidden))
        self.status.say(_said(found), "warn")
        self._show()

    # --- taking

    @on(Table.Selected)
    def _take(self, event: Table.Selected) -> None:
        self._taken(event.key)

    def action_batch(self) -> None:
        """Take all of the batch that is offered."""
        if self._found is not None and self._found.batch is not None:
            self._taken(self._found.batch.release.infohash, whole=True)

    def _taken(self, infohash: str, *, whole: bool = False) -> None:
        self.workers.cancel_node(self)
        self.dismiss(Taken(self.episode, infohash, whole))

    # --- putting right

    @work(group="dialog", exclusive=True)
    async def action_taste(self) -> None:
        """Change what is liked of this show, then look again."""
        if await self.app.push_screen_wait(ShowTasteDialog(self.desk, self.anime)) is not None:
            self.action_search()

    @work(group="dialog", exclusive=True)
    async def action_correct(self) -> None:
        """Say what the release under the cursor really is."""
        found, ranked = self._found, self._here
        if found is None or ranked is None:
            return
        corrections = self.desk.releases.corrections
        try:
            mine = await corrections.mine(self.desk.user, self.anime.media_id)
        except UuuError as e:
            self.failed(e)
            return
        choices = fixes(found.wanted, ranked, mine)
        if not choices:
            self.status.say("There is nothing to put right here: it is read as far as its name goes.")
            return
        answer = await self.app.push_screen_wait(ask(ranked, choices))
        if answer is not None:
            await self._remember(self._done(choices[int(answer)]))

    @work(group="dialog", exclusive=True)
    async def action_answer(self, accept: bool) -> None:
        """Accept or decline what others say."""
        if (offer := self._offer) is not None:
            await self._remember(self.desk.releases.corrections.answer(self.desk.user, offer.id, accept=accept))

    async def _done(self, fix: Fix) -> Offer | None:
        corrections, user = self.desk.releases.corrections, self.desk.user
        if fix.says is not None:
            return await corrections.make(user, fix.says)
        return await corrections.take_back(user, fix.takes_back) if fix.takes_back is not None else None

    async def _remember(self, doing: Awaitable[Offer | None]) -> None:
        """Write it down, then look again: the index is not asked anew for that."""
        self.busy("Remembering it…")
        try:
            await doing
        except UuuError as e:
            self.failed(e)
            return
        self.action_search()

    # --- showing

    @property
    def _here(self) -> Ranked | None:
        """The candidate under the cursor."""
        key = self.query_one(Candidates).key
        return next((one for one in self._candidates if one.release.infohash == key), None)

    @property
    def _offer(self) -> Offer | None:
        """What others say that is to be answered next."""
        return next(iter(self._found.offers), None) if self._found else None

    @property
    def _candidates(self) -> tuple[Ranked, ...]:
        every = self._found.candidates if self._found else ()
        return every if self._with_rejected else tuple(one for one in every if one.verdict is Match.MATCH)

    @on(Table.Highlighted)
    def _explain(self) -> None:
        ranked, best = self._here, self._found.best if self._found else None
        self.query_one(Why).explain(ranked, self.episode, is_best=ranked is not None and ranked is best)
        self.refresh_bindings()

    def _show(self) -> None:
        best = self._found.best if self._found else None
        table = self.query_one(Candidates)
        rejected = sum(one.verdict is Match.REJECT for one in self._found.candidates) if self._found else 0
        table.say_empty(f"Nothing fits. x shows {count(rejected, 'rejected release')}." if rejected else "")
        table.set_rows([_row(one, is_best=one is best) for one in self._candidates])
        beside, hinted = self.query_one("#hints", Panel), tuple(hints(self._found, self._usage, datetime.now(UTC)))
        beside.display = bool(hinted)
        beside.fill(*hinted)
        self._entitle()
        self._explain()

    def _entitle(self) -> None:
        counts = ""
        if self._found is not None:
            fits = sum(one.verdict is Match.MATCH for one in self._found.candidates)
            counts = f"{fits} fit, {len(self._found.candidates) - fits} do not "
        spans = [Span(" Episode "), Span(f"‹ {self.episode} ›", "key"), Span(f" of {self.anime.title} ", "accent")]
        self.query_one(".title", Line).set(*spans, right=[Span(counts, "dim")])


def _said(found: Found) -> str:
    """What is to be said of all of them together."""
    if found.best is not None:
        return ""
    if any(one.verdict is Match.MATCH for one in found.candidates):
        return "Nothing is certain enough to be taken by itself. Enter takes the one under the cursor."
    return found.said


def _row(ranked: Ranked, *, is_best: bool) -> Row:
    release, name = ranked.release, ranked.name
    fits, is_sure = ranked.verdict is Match.MATCH, ranked.confidence >= SURE
    tone: StyleName = "" if fits else "dim"
    cells: tuple[Cell, ...] = (
        _mark(ranked, is_best=is_best),
        Piece(f"{PEN} {release.title}" if ranked.is_corrected else release.title, tone),
        Piece(name.group, tone),
        Piece(percent(ranked.confidence) if fits else "", "dim" if is_sure else "warn"),
        Piece(str(name.resolution or "?"), tone),
        Piece(size(release.size_bytes), tone),
        Piece(str(release.seeders), "bad" if not release.seeders else "good" if fits else "dim"),
    )
    return Row(release.infohash, cells)


def _mark(ranked: Ranked, *, is_best: bool) -> Piece:
    """The verdict in one sign."""
    if is_best:
        return Piece("★", "accent")
    if ranked.verdict is Match.REJECT:
        return Piece("✗", "bad")
    return Piece("✓", "good") if ranked.confidence >= SURE else Piece("?", "warn")
