"""How a show on a watchlist is shown: its row, and its card. Pure: the same show at the same moment looks the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from uuutorrent.anime.anime import Anime, WatchEntry, WatchStatus
from uuutorrent.automation.preferences import Mode
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.holdings import Holding
from uuutorrent.tui.cells import Bar, Cell, Column, Piece, Row
from uuutorrent.tui.fetch import Fetch
from uuutorrent.tui.figures import count, eta, percent, rate, size, span
from uuutorrent.tui.flights import MARKS
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import WHEEL, Said, said
from uuutorrent.tui.small import NARROW

COLUMNS = (
    Column("title", "Title", 16, flex=4),
    Column("bar", "Seen", 8, flex=1, priority=3),
    Column("seen", "", 7, align="right", priority=2),
    Column("behind", "Behind", 9, priority=1),
    Column("next", "Next episode", 17),
    Column("airs", "On air", 18, priority=4),
    Column("auto", "", 1, priority=2),
)
LABELS = {
    WatchStatus.CURRENT: "Watching",
    WatchStatus.REPEATING: "Again",
    WatchStatus.PLANNING: "Planned",
    WatchStatus.PAUSED: "Paused",
    WatchStatus.COMPLETED: "Completed",
    WatchStatus.DROPPED: "Dropped",
}
"""What people read for the parts of a list."""
WATCHED = (WatchStatus.CURRENT, WatchStatus.REPEATING)
"""The parts of a list where being behind matters."""
_FORMATS = {"TV_SHORT": "TV short", "MOVIE": "Film", "SPECIAL": "Special", "MUSIC": "Music"}
_BAR_WIDTH, _SMALL_BAR = 28, 10
_STOPPED = {Phase.PAUSED: "paused", Phase.ERROR: "error", Phase.MISSING: "files lost", Phase.QUEUED: "queued"}


@dataclass(frozen=True, slots=True)
class View:
    """A show on someone's list at one moment, with what they have of it."""

    entry: WatchEntry
    now: datetime
    holdings: tuple[Holding, ...] = ()
    """The torrents of this show, whichever episode."""
    fetch: Fetch | None = None
    frame: int = 0
    is_saving: bool = False
    mode: Mode = Mode.OFF
    """What the autopilot does for it."""
    is_own_mode: bool = False
    """That was said of this show rather than of all."""

    @property
    def anime(self) -> Anime:
        """The show."""
        return self.entry.anime

    @property
    def airs_at(self) -> datetime | None:
        """When the next episode to air does; None when nothing is announced."""
        at = self.anime.next_airs_at
        return at if at is not None and at > self.now else None

    @property
    def aired(self) -> int | None:
        """Episodes that have aired: an announced time that has passed counts, before AniList says so."""
        if self.anime.next_episode is not None and self.anime.next_airs_at is not None and self.airs_at is None:
            return self.anime.next_episode
        return self.anime.aired

    @property
    def behind(self) -> int:
        """Aired and not seen."""
        return max(0, (self.aired or 0) - self.entry.progress)

    @property
    def next(self) -> int | None:
        """The next episode to see; None when all are seen."""
        return self.entry.next_episode

    @property
    def is_out(self) -> bool:
        """The next episode can be fetched, as far as anybody knows."""
        return self.next is not None and (self.aired is None or self.next <= self.aired)

    @property
    def held(self) -> Holding | None:
        """The torrent of the next episode: its own, or a batch of the show."""
        mine = (holding for holding in self.holdings if self.next is not None and _has(holding, self.next))
        return max(mine, key=lambda one: (one.episode is not None or one.is_part, one.progress), default=None)


def with_progress(entry: WatchEntry, progress: int | None) -> WatchEntry:
    """The entry as it will be once `progress` is written."""
    return entry if progress is None else replace(entry, progress=progress)


def _has(holding: Holding, episode: int) -> bool:
    """Whether the episode is in it; of a batch whose files nobody could tell apart it is taken to be."""
    return episode in holding.episodes if holding.episodes else holding.episode in (episode, None)


def in_order(views: Sequence[View]) -> list[View]:
    """Shows with something to see first, then those that air soonest; the list's own order among equals."""

    def rank(view: View) -> tuple[int, float]:
        if view.entry.status not in WATCHED or view.behind:
            return 0, 0.0
        return (1, view.airs_at.timestamp()) if view.airs_at else (2, 0.0)

    return sorted(views, key=rank)


def row(view: View) -> Row:
    """The show's line in the table."""
    anime, entry = view.anime, view.entry
    total = anime.episodes or max(view.aired or 0, entry.progress, 1)
    is_idle = entry.status in WATCHED and not view.behind
    cells: tuple[Cell, ...] = (
        Piece(anime.title, "dim") if is_idle and view.fetch is None else anime.title,
        Bar(entry.progress / total, "good" if entry.next_episode is None else "bar", until=(view.aired or 0) / total),
        Piece(f"{entry.progress}/{anime.episodes or '?'}", "accent" if view.is_saving else ""),
        _behind(view),
        _next(view),
        Piece(_airs(view), "dim"),
        MARKS[view.mode] if view.mode is not Mode.OFF or view.is_own_mode else "",
    )
    return Row(str(anime.media_id), cells)


def card(view: View, *, width: int, low: bool = False) -> tuple[Said, ...]:
    """What there is to know about the show, in three lines: who, how far, what next. `low`: in two."""
    lines = (_who(view), _how_far(view, _SMALL_BAR if width < NARROW else _BAR_WIDTH), _what_next(view))
    return lines[1:] if low else lines


def _behind(view: View) -> Cell:
    if not view.behind:
        is_new = view.entry.status is WatchStatus.PLANNING and not view.aired
        return Piece("" if is_new or view.next is None else "caught up", "dim") if view.entry.status in WATCHED else ""
    return (
        Piece(f"{view.behind} behind", "warn") if view.entry.status in WATCHED else Piece(f"{view.behind} left", "dim")
    )


def _next(view: View) -> Cell:
    if view.fetch is not None and view.fetch.is_running:
        return Piece(f"{WHEEL[view.frame % len(WHEEL)]} ep {view.fetch.episode} {view.fetch.label}", "accent")
    if view.next is None:
        return Piece("all seen", "good")
    if view.held is not None:
        return _held(view.next, view.held)
    if view.is_out:
        return f"ep {view.next}"
    return Piece(f"ep {view.next}" + (f" in {until(view)}" if view.airs_at else " not out"), "dim")


def _held(episode: int, holding: Holding) -> Piece:
    if holding.is_complete:
        return Piece(f"ep {episode} ready", "good")
    if holding.phase in (Phase.ERROR, Phase.MISSING):
        return Piece(f"ep {episode} {_STOPPED[holding.phase]}", "bad")
    if holding.phase in (Phase.PAUSED, Phase.QUEUED):
        return Piece(f"ep {episode} {_STOPPED[holding.phase]}", "dim")
    return Piece(f"ep {episode} ↓ {percent(holding.progress)}", "accent")


def _airs(view: View) -> str:
    if view.airs_at is not None and view.next == view.anime.next_episode:
        return ""  # the column beside it says so
    if view.airs_at is not None:
        return f"ep {view.anime.next_episode} in {until(view)}"
    return {"FINISHED": "", "HIATUS": "on hiatus", "CANCELLED": "cancelled"}.get(view.anime.status, "")


def until(view: View) -> str:
    """How long until the next episode to air does; nothing when that is not announced."""
    return span((view.airs_at - view.now).total_seconds()) if view.airs_at else ""


def _who(view: View) -> Said:
    anime = view.anime
    also = [title for title in (anime.english, anime.romaji, anime.native) if title and title != anime.title]
    facts = [
        _FORMATS.get(anime.format, anime.format),
        str(anime.year or ""),
        f"{anime.duration_min} min" if anime.duration_min else "",
    ]
    others = Span("  " + " · ".join(dict.fromkeys(also)), "dim")
    return said(Span(anime.title, "accent"), others, right=[Span(" · ".join(fact for fact in facts if fact), "dim")])


def _how_far(view: View, width: int) -> Said:
    entry, anime, aired = view.entry, view.anime, view.aired
    total = anime.episodes or max(aired or 0, entry.progress, 1)
    seen = round(entry.progress / total * width)
    out = max(seen, round((aired or 0) / total * width))
    bar = (Span("█" * seen, "bar"), Span("▒" * (out - seen), "warn"), Span("·" * (width - out), "dim"))
    words = f" {entry.progress} of {anime.episodes or '?'} seen"
    on_air = f", {aired} aired" if aired is not None and aired != anime.episodes else ""
    late = Span(f"   {view.behind} behind", "warn") if view.behind and entry.status in WATCHED else Span("")
    is_automatic = view.mode is not Mode.OFF or view.is_own_mode
    usual = f"autopilot {view.mode}" if is_automatic else LABELS[entry.status]
    state = "saving…" if view.is_saving else usual
    return said(*bar, words + on_air, late, right=[Span(state, "dim")])


def _what_next(view: View) -> Said:
    later = f"episode {view.anime.next_episode} airs in {until(view)}" if view.airs_at else ""
    right = [Span(later, "dim")] if later else []
    if view.next is None:
        return said(Span("You have seen every episode.", "good"), right=right)
    if view.held is not None:
        return said(*_have(view.next, view.held), right=right)
    if view.is_out:
        return said("Next: ", Span(f"episode {view.next}", "accent"), right=right)
    if view.airs_at and view.anime.next_episode == view.next:
        return said("Next: ", Span(f"episode {view.next}", "accent"), f" airs in {until(view)}")
    return said("Next: ", Span(f"episode {view.next}", "accent"), ", not announced yet", right=right)


def _have(episode: int, holding: Holding) -> Sequence[Span | str]:
    what = "A batch with it" if holding.episode is None and not holding.is_part else f"Episode {episode}"
    if holding.is_complete:
        return [Span(f"{what} is ready", "good"), f", {size(holding.size_bytes)}. y copies the line that fetches it."]
    moving = [rate(holding.down_bps), f"{eta(holding.eta_s)} left" if eta(holding.eta_s) else ""]
    figures = " · ".join(
        [f"{percent(holding.progress)} of {size(holding.size_bytes)}", *(part for part in moving if part)]
    )
    trouble = Span(f"   {holding.note}", "warn") if holding.note else Span("")
    return [Span(f"{what} ", "accent"), f"{holding.phase.value} · {figures}", trouble]


def episodes_known(anime: Anime) -> str:
    """How many episodes there are, in words."""
    return count(anime.episodes, "episode") if anime.episodes else "? episodes"
