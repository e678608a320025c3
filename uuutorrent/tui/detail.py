"""One torrent from near: its files, trackers, peers and timeline, in a pane below the torrents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar, Literal, get_args

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from uuutorrent.automation.health.observations import Unwell
from uuutorrent.automation.health.timeline import Line as Happened
from uuutorrent.automation.health.timeline import with_holding
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.torrents.engine import Peer, TorrentFile, Tracker
from uuutorrent.torrents.holdings import Details, Holding
from uuutorrent.tui import held
from uuutorrent.tui.cells import Bar, Column, Piece, Row, StyleName
from uuutorrent.tui.figures import ago, percent, rate, size
from uuutorrent.tui.line import Line, LineStyle, Span
from uuutorrent.tui.panel import Panel, Said, said
from uuutorrent.tui.reach import line_for
from uuutorrent.tui.small import NARROW
from uuutorrent.tui.table import Table

LOOK_S = 2.0
"""Pause between two looks at files, trackers and peers."""
Part = Literal["files", "trackers", "peers", "timeline"]
PARTS: tuple[Part, ...] = get_args(Part)
PRIORITIES = {0: "skip", 1: "normal", 6: "high", 7: "highest"}
"""Source: qBittorrent WebUI API, torrent contents, `priority`."""
_LEVELS = tuple(PRIORITIES)
_HINT = (Span("tab ", "key"), "in and out  ", Span("← → ", "key"), "turns  ")
_OTHER_WAYS = (
    *(Span("Y ", "key", "screen.ways"), Span("sftp, rclone, mpv  ", "", "screen.ways")),
    *(Span("K ", "key", "screen.code"), Span("code", "", "screen.code")),
)
_PRIORITY_STYLES: dict[int, StyleName] = {0: "dim", 6: "accent", 7: "accent"}

COLUMNS: dict[Part, tuple[Column, ...]] = {
    "files": (
        Column("path", "File", 18, flex=1),
        Column("bar", "", 8, priority=2),
        Column("done", "Done", 5, align="right"),
        Column("size", "Size", 8, align="right", priority=1),
        Column("priority", "Priority", 8),
    ),
    "trackers": (
        Column("url", "Tracker", 18, flex=2),
        Column("status", "Status", 12),
        Column("swarm", "Se/Pe", 7, align="right", priority=1),
        Column("message", "It says", 10, flex=1, priority=2),
    ),
    "peers": (
        Column("address", "Peer", 16, flex=1),
        Column("client", "Program", 14, flex=1, priority=1),
        Column("done", "Has", 5, align="right"),
        Column("down", "Down", 10, align="right"),
        Column("up", "Up", 10, align="right", priority=2),
    ),
    "timeline": (
        Column("at", "When", 11),
        Column("step", "", 11, priority=1),
        Column("text", "What happened", 18, flex=1),
        Column("undo", "", 6),
    ),
}
_EMPTY = {
    "files": "The files are not known until peers have told them.",
    "trackers": "No trackers.",
    "peers": "No peers just now.",
    "timeline": "Nothing is noted of it.",
}


class Parts(Table):
    """Files, trackers, peers or what happened."""


class Detail(Vertical):
    """A pane that follows one torrent while it is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "raise(1)", "Sooner", id="detail.raise", tooltip="A higher priority for the file."),
        Binding("minus", "raise(-1)", "Later", id="detail.lower", tooltip="A lower priority; the lowest is skip."),
        Binding("u", "undo", "Undo", id="detail.undo", tooltip="Take back what this line tells of, within a day."),
        Binding("w", "want", "Want or skip", id="detail.want", tooltip="Download this file, or do not."),
    ]

    @dataclass
    class PriorityAsked(Message):
        """Give these files (by index) this priority."""

        infohash: str
        indexes: tuple[int, ...]
        priority: int

    @dataclass
    class UndoAsked(Message):
        """Take back what this line of the timeline tells of."""

        happened: Happened

    def __init__(self, desk: Desk) -> None:
        super().__init__(id="detail")
        self.desk = desk
        self.part: Part = "files"
        self._holding: Holding | None = None
        self._unwell: Unwell | None = None
        self._details: Details | None = None
        self._timeline: tuple[Happened, ...] = ()
        """The newest first."""
        self._line = ""
        """What fetches it, once it is complete."""

    def compose(self) -> ComposeResult:
        """Facts, the parts to choose from, and the one chosen."""
        yield Panel(id="facts")
        yield Line(id="parts")
        yield Parts(COLUMNS[self.part], empty=_EMPTY[self.part], marks=True)

    def show(self, holding: Holding | None, unwell: Unwell | None = None) -> None:
        """Show this torrent, and what is not well about it; called again whenever it changed."""
        is_other = (holding and holding.infohash) != (self._holding and self._holding.infohash)
        self._holding, self._unwell = holding, unwell
        if is_other:
            self._details, self._line, self._timeline = None, "", ()
            self.look()
        self._show()

    def look(self) -> None:
        """Look at its files, trackers and peers, now and again."""
        if self._holding is not None:
            self._follow(self._holding.infohash)

    def turn(self, by: int) -> None:
        """To the next of files, trackers and peers, or the one before."""
        self.part = PARTS[(PARTS.index(self.part) + by) % len(PARTS)]
        self.query_one(Parts).set_columns(COLUMNS[self.part], empty=_EMPTY[self.part], marks=self.part == "files")
        self._show()

    def action_raise(self, by: int) -> None:
        """A higher or lower priority for the files chosen."""
        for level in {file.priority for file in self._chosen()}:
            near = min(_LEVELS, key=lambda known: abs(known - level))
            new = _LEVELS[max(0, min(_LEVELS.index(near) + by, len(_LEVELS) - 1))]
            self._ask([file for file in self._chosen() if file.priority == level], new)

    def action_want(self) -> None:
        """Skip the files chosen, or want them again."""
        files = self._chosen()
        self._ask(files, 0 if any(file.priority for file in files) else 1)

    def action_undo(self) -> None:
        """Take back what the line under the cursor tells of."""
        if (here := self._happened) is not None:
            self.post_message(self.UndoAsked(here))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only files have priorities, and only some of what happened can be undone."""
        if action == "undo":
            here = self._happened
            return here is not None and _can_be_undone(here, datetime.now(UTC))
        return self.part == "files" if action in ("raise", "want") else True

    @property
    def file_here(self) -> int | None:
        """The file under the cursor, while somebody is among the files: its place in the torrent's list."""
        parts = self.query_one(Parts)
        if self.part != "files" or not parts.has_focus or self._details is None:
            return None
        return next((file.index for file in self._details.files if str(file.index) == parts.key), None)

    @property
    def _happened(self) -> Happened | None:
        """The line of the timeline under the cursor."""
        if self.part != "timeline" or not self.is_mounted:
            return None
        key = self.query_one(Parts).key
        return next((one for one in self._timeline if _key(one) == key), None)

    @on(Table.Highlighted)
    def _other_line(self, event: Table.Highlighted) -> None:
        """Another line is under the cursor: say all of it."""
        event.stop()
        if self.part == "timeline":
            self._show()
            self.screen.refresh_bindings()

    @work(group="details", exclusive=True)
    async def _follow(self, infohash: str) -> None:
        trouble = ""
        while True:
            try:
                told = await self.desk.timeline.of(self.desk.user, infohash)
                self._timeline = tuple(reversed(with_holding(told, self._holding)))
                self._details = await self.desk.library.details(self.desk.user, infohash)
                if self._details.holding.is_complete and not self._line:
                    self._line = await line_for(self.desk, self._details.holding)
                trouble = ""
            except UuuError as e:
                trouble = e.message
            self.query_one(Parts).say(trouble)
            self._show()
            await asyncio.sleep(LOOK_S)

    def _show(self) -> None:
        if not self.is_mounted or self._holding is None:
            return
        self.query_one("#facts", Panel).fill(*self._facts(self._holding, datetime.now(UTC)))
        is_wide = self.size.width >= NARROW
        spans = [Span("  " if is_wide else " ")]
        for part in PARTS:
            style: LineStyle = "here" if part == self.part else "dim"
            words = Span(f"{part}{self._count(part)}", style, f"screen.show_part('{part}')")
            spans += [words, Span("   " if is_wide else " ")]
        self.query_one("#parts", Line).set(*spans, right=_HINT if is_wide else ())
        self.query_one(Parts).set_rows(self._rows())

    def _facts(self, holding: Holding, now: datetime) -> tuple[Said, ...]:
        facts = held.facts(holding, now)
        if (here := self._happened) is not None:
            # All of the line under the cursor, in the place of what is less asked for here.
            return (*facts[:2], said(here.text, wraps=True))
        return (*facts, held.ill(self._unwell, now) if self._unwell else self._last_line(holding))

    def _last_line(self, holding: Holding) -> Said:
        if holding.note:
            return said(Span(holding.note, "warn"))
        if not self._line:
            return said()
        return said(Span("y ", "key", "screen.copy_line"), Span(f"copies  {self._line}", "dim"), right=_OTHER_WAYS)

    def _count(self, part: Part) -> str:
        if part == "timeline":
            return f" {len(self._timeline)}" if self._timeline else ""
        return f" {len(getattr(self._details, part))}" if self._details else ""

    def _rows(self) -> list[Row]:
        if self.part == "timeline":
            now = datetime.now(UTC)
            return [_line(one, now) for one in self._timeline]
        if self._details is None:
            return []
        if self.part == "files":
            return [_file(file) for file in self._details.files]
        if self.part == "trackers":
            return [_tracker(n, tracker) for n, tracker in enumerate(self._details.trackers)]
        return [_peer(n, peer) for n, peer in enumerate(self._details.peers)]

    def _chosen(self) -> list[TorrentFile]:
        table = self.query_one(Parts)
        keys = set(table.marked or [table.key])
        return [file for file in (self._details.files if self._details else ()) if str(file.index) in keys]

    def _ask(self, files: Sequence[TorrentFile], priority: int) -> None:
        if files and self._holding is not None and self._details is not None:
            indexes = tuple(file.index for file in files)
            now = tuple(replace(one, priority=priority) if one in files else one for one in self._details.files)
            # Shown at once; the next look, which comes after it is written, says whether the engine took it.
            self.workers.cancel_group(self, "details")
            self._details = replace(self._details, files=now)
            self._show()
            self.post_message(self.PriorityAsked(self._holding.infohash, indexes, priority))


def _line(happened: Happened, now: datetime) -> Row:
    undo = Piece("u undo", "accent") if _can_be_undone(happened, now) else ""
    cells = (
        Piece(ago(happened.at, now), "dim"),
        Piece(happened.step, "accent"),
        happened.text,
        Piece("undone", "dim") if happened.undone_at else undo,
    )
    return Row(_key(happened), cells)


def _key(happened: Happened) -> str:
    # What the holding itself tells has no number.
    return f"{happened.id} {happened.step}"


def _can_be_undone(happened: Happened, now: datetime) -> bool:
    return happened.can_be_undone and now < happened.until


def _file(file: TorrentFile) -> Row:
    tone: StyleName = "" if file.priority else "dim"
    priority = Piece(PRIORITIES.get(file.priority, str(file.priority)), _PRIORITY_STYLES.get(file.priority, ""))
    bar = Bar(file.progress, "good" if file.progress >= 1 else "bar")
    cells = (
        Piece(file.path, tone),
        bar,
        Piece(percent(file.progress), tone),
        Piece(size(file.size_bytes), tone),
        priority,
    )
    return Row(str(file.index), cells)


def _tracker(n: int, tracker: Tracker) -> Row:
    style: StyleName = "good" if tracker.status == "working" else "dim"
    swarm = f"{max(0, tracker.seeds)}/{max(0, tracker.peers)}"
    return Row(str(n), (tracker.url, Piece(tracker.status, style), swarm, Piece(tracker.message, "dim")))


def _peer(n: int, peer: Peer) -> Row:
    cells = (peer.address, peer.client, percent(peer.progress), Piece(rate(peer.down_bps), "accent"), rate(peer.up_bps))
    return Row(f"{n} {peer.address}", cells)
