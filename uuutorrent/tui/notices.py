"""How a notice of the inbox is shown: its row, and all there is to it. Pure: the same notice looks the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from uuutorrent.automation.inbox.notice import MOOT, Kind, Notice
from uuutorrent.tui.cells import Cell, Column, Piece, Row, StyleName
from uuutorrent.tui.figures import ago, moment
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.tui.shell import Severity

COLUMNS = (
    Column("seen", "", 1),
    Column("mark", "", 1),
    Column("kind", "", 9, priority=3),
    Column("text", "What happened", 20, flex=1),
    Column("answer", "", 7, priority=2),
    Column("at", "When", 11, align="right", priority=1),
)
MARKS: dict[Kind, Piece] = {
    Kind.FINISHED: Piece("✓", "good"),
    Kind.FAILED: Piece("✗", "bad"),
    Kind.REPLACED: Piece("⇄", "accent"),
    Kind.CHOICE: Piece("?", "warn"),
    Kind.AVAILABLE: Piece("+", "accent"),
    Kind.TAKEN: Piece("↓", "accent"),
    Kind.WATCHED: Piece("?", "warn"),
    Kind.TROUBLE: Piece("!", "bad"),
    Kind.TIDIED: Piece("⌫", "dim"),
}
KEYS = {"take": "t", "skip": "s", "yes": "y", "no": "n"}
"""The keys of the usual choices; any other is asked for."""
OTHER = "c"
"""The key for choices that have none of their own."""


def row(notice: Notice, now: datetime) -> Row:
    """The notice's line in the table."""
    mark = MARKS[notice.kind]
    tone: StyleName = "dim" if notice.is_seen else ""
    cells: tuple[Cell, ...] = (
        "" if notice.is_seen else Piece("●", "accent"),
        mark,
        Piece(notice.kind.value, "dim"),
        Piece(notice.text, tone),
        _answer(notice),
        Piece(ago(notice.at, now), "dim"),
    )
    return Row(str(notice.id), cells)


def about(notice: Notice) -> tuple[Said, ...]:
    """All of it: which kind, when, every word, and what can be answered with which key."""
    mark = MARKS[notice.kind]
    when = Span(moment(notice.at), "dim")
    head = said(Span(f"{mark.text} ", mark.style), Span(notice.kind.value, "accent"), right=[when])
    return head, said(notice.text, wraps=True), said(*_choices(notice))


def toasted(notice: Notice) -> tuple[str, Severity]:
    """What is said aloud of it when it comes."""
    text = f"{notice.text} Press 4 to answer." if notice.is_open else notice.text
    return text, "warning" if notice.kind in (Kind.FAILED, Kind.TROUBLE) else "information"


def _answer(notice: Notice) -> Cell:
    if notice.is_open:
        return Piece("choose", "warn")
    return Piece("" if notice.answer == MOOT else notice.answer, "dim")


def _choices(notice: Notice) -> Sequence[Span | str]:
    if notice.answer == MOOT:
        return [Span("No answer is needed any more.", "dim")]
    if notice.answer:
        return [Span(f"You answered: {notice.answer}.", "dim")]
    spans: list[Span | str] = []
    for choice in notice.choices:
        press = f"screen.answer('{choice}')" if choice in KEYS else "screen.answer_other"
        spans += [Span(f" {KEYS.get(choice, OTHER)} ", "key", press), Span(f" {choice}   ", "", press)]
    return spans
