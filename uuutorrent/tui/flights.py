"""How the autopilot's plan and what it is after are shown. Pure: the same looks the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from uuutorrent.automation.autopilot.pursuit import OPEN, Plan, Planned, Pursuit, State
from uuutorrent.automation.preferences import Mode
from uuutorrent.tui.cells import Cell, Column, Piece, Row, StyleName
from uuutorrent.tui.figures import ago, count, moment, size, span
from uuutorrent.tui.line import LineStyle, Span
from uuutorrent.tui.panel import Said, said

MODES: dict[Mode, str] = {
    Mode.OFF: "nothing is fetched by itself",
    Mode.ASK: "new episodes are offered in your inbox",
    Mode.ON: "new episodes are fetched once they can be had",
}
"""What each mode means, as the middle of a sentence."""
MARKS: dict[Mode, Piece] = {
    Mode.OFF: Piece("○", "dim"), Mode.ASK: Piece("?", "accent"), Mode.ON: Piece("●", "good"),
}  # fmt: skip
PLANNED = (
    Column("mark", "", 1),
    Column("show", "Show", 12, flex=2),
    Column("episode", "Ep", 4, align="right"),
    Column("size", "Size", 8, align="right"),
    Column("release", "Release", 20, flex=3, priority=1),
)
AFTER = (
    Column("mark", "", 1),
    Column("show", "Show", 24, flex=2),
    Column("episode", "Ep", 4, align="right"),
    Column("state", "", 8, priority=2),
    Column("when", "When", 16),
    Column("why", "", 16, flex=3, priority=1),
)
_STATES: dict[State, tuple[Piece, StyleName]] = {
    State.WANTED: (Piece("○", "accent"), ""),
    State.OFFERED: (Piece("?", "warn"), ""),
    State.TAKING: (Piece("…", "accent"), ""),
    State.TAKEN: (Piece("✓", "good"), "dim"),
    State.SKIPPED: (Piece("–", "dim"), "dim"),
    State.MOOT: (Piece("–", "dim"), "dim"),
    State.FAILED: (Piece("✗", "bad"), "dim"),
}
_WORDS = {State.OFFERED: "asks", State.MOOT: "no need"}


def planned_row(number: int, one: Planned) -> Row:
    """The line of an episode in a plan."""
    mark = Piece("·", "dim") if one.release is None else Piece("✓", "good") if one.fits else Piece("!", "warn")
    tone: StyleName = "" if one.release is not None and one.fits else "dim"
    release: Cell = Piece(one.release.release.title, tone) if one.release else Piece("none is certain so far", "dim")
    needs = Piece(size(one.size_bytes) if one.size_bytes else "?", tone)
    return Row(str(number), (mark, Piece(one.title, tone), Piece(str(one.episode), tone), needs, release))


def planned_about(one: Planned) -> tuple[Said, ...]:
    """All there is to know about an episode in a plan."""
    first = said(Span(one.title, "accent"), f", episode {one.episode}")
    is_named = one.release is not None and one.release.release.title in one.why
    release = [said(one.release.release.title, wraps=True)] if one.release and not is_named else []
    return (first, *release, said(Span(one.why, "dim"), wraps=True))


def planned_sum(plan: Plan) -> tuple[Said, ...]:
    """What all of a plan comes to, and what that leaves of the quota."""
    found = [one for one in plan.planned if one.release is not None]
    fit = [one for one in found if one.fits]
    first: list[Span | str] = [Span(count(len(fit), "episode"), "accent"), f", {size(plan.size_bytes)}"]
    unknown, late = len(plan.planned) - len(found), len(found) - len(fit)
    first += [f" · {unknown} to be searched for"] if unknown else []
    first += [Span(f" · {late} without room", "warn")] if late else []
    lines = [said(*first, wraps=True), said(*_after(plan), wraps=True)]
    if plan.left_out:
        more = f"{count(plan.left_out, 'more episode')} of shows that are many behind stay out of it."
        lines.append(said(Span(more, "dim"), wraps=True))
    return tuple(lines)


def _after(plan: Plan) -> Sequence[Span | str]:
    usage = plan.usage
    most = f" of {size(usage.quota_bytes)}" if usage.quota_bytes else ""
    torrents = f" of {usage.quota_torrents}" if usage.quota_torrents else ""
    style: LineStyle = "warn" if usage.quota_bytes and plan.bytes_after > 0.9 * usage.quota_bytes else ""
    return [
        Span(f"After it you have {size(plan.bytes_after)}{most}", style),
        f", {plan.torrents_after}{torrents} torrents",
        Span(f" (now {size(usage.bytes)}, {usage.torrents})", "dim"),
    ]


def in_order(pursuits: Sequence[Pursuit]) -> list[Pursuit]:
    """What asks first, then what is looked for, the soonest first; then what is over, the newest first."""

    def rank(one: Pursuit) -> tuple[int, float, int, int]:
        which = (one.media_id, one.episode)
        if one.state is State.OFFERED:
            return 0, one.at.timestamp() // 60, *which
        is_open = one.state in (*OPEN, State.TAKING)
        return (1, one.try_at.timestamp() // 60, *which) if is_open else (2, -one.at.timestamp(), *which)

    return sorted(pursuits, key=rank)


def pursuit_row(one: Pursuit, title: str, now: datetime) -> Row:
    """The line of an episode that the autopilot is after, or was."""
    mark, tone = _STATES[one.state]
    why = one.why or one.title
    state = _WORDS.get(one.state, one.state.value)
    cells = (title, str(one.episode), state, _when(one, now), why)
    return Row(str(one.id), (mark, *(Piece(cell, tone) for cell in cells)))


def pursuit_about(one: Pursuit, title: str, now: datetime) -> tuple[Said, ...]:
    """All there is to know about it."""
    when = f"{_when(one, now)} · {moment(one.try_at if _is_looked_for(one) else one.at)}"
    lines = [said(Span(title, "accent"), f", episode {one.episode}", right=[Span(when, "dim")])]
    lines += [said(one.title, wraps=True)] if one.title else []
    lines += [said(Span(one.why, "dim"), wraps=True)] if one.why else []
    return tuple(lines)


def _is_looked_for(one: Pursuit) -> bool:
    return one.state in (State.WANTED, State.TAKING)


def _when(one: Pursuit, now: datetime) -> str:
    if one.state is State.TAKING:
        return "being taken"
    if one.state is not State.WANTED:
        return ago(one.at, now)
    if one.at > now:
        return f"airs in {span((one.at - now).total_seconds())}"
    left = (one.try_at - now).total_seconds()
    return f"looks in {span(left)}" if left > 0 else "looks now"
