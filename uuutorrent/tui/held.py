"""How a torrent on somebody's list is shown: its row, its order, its facts. Pure: the same holding looks the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from uuutorrent.automation.health.health import Verdict
from uuutorrent.automation.health.observations import Unwell
from uuutorrent.releases.contents import told
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.holdings import Holding
from uuutorrent.torrents.usage import Usage
from uuutorrent.tui.cells import Bar, Cell, Column, Piece, Row, StyleName
from uuutorrent.tui.figures import ago, count, eta, percent, rate, size
from uuutorrent.tui.line import LineStyle, Span
from uuutorrent.tui.panel import Said, said

COLUMNS = (
    Column("name", "Name", 30, flex=1),
    Column("phase", "Phase", 12, priority=3),
    Column("bar", "", 8, priority=4),
    Column("done", "Done", 6, align="right"),
    Column("size", "Size", 8, align="right", priority=5),
    Column("down", "Down", 10, align="right", priority=1),
    Column("up", "Up", 10, align="right", priority=6),
    Column("eta", "Left", 7, align="right", priority=2),
    Column("ratio", "Ratio", 7, align="right", priority=7),
    Column("swarm", "Se/Pe", 7, align="right", priority=8),
)
PHASE_STYLES: dict[Phase, StyleName] = {
    Phase.DOWNLOADING: "accent",
    Phase.METADATA: "accent",
    Phase.SEEDING: "good",
    Phase.COMPLETE: "good",
    Phase.STALLED: "warn",
    Phase.PAUSED: "dim",
    Phase.QUEUED: "dim",
    Phase.ERROR: "bad",
    Phase.MISSING: "bad",
}
UNWELL_STYLES: dict[Verdict, StyleName] = {
    Verdict.WELL: "good",
    Verdict.SLOW: "warn",
    Verdict.STALLED: "warn",
    Verdict.DEAD: "bad",
    Verdict.BROKEN: "bad",
}
_WORDS = {Phase.MISSING: "files lost", Phase.METADATA: "asking peers"}
_GROUP = re.compile(r"^\s*\[[^\]]*\]\s*(?=\S)")
_TAIL = re.compile(r"(\s*\[[0-9A-Fa-f]{8}\])?(\.(mkv|mp4|avi))?$")
STANDING_STILL = (Phase.PAUSED, Phase.COMPLETE)
"""Phases that `resume` ends."""


@dataclass(frozen=True, slots=True)
class Order:
    """By what the rows are sorted; `column` is empty for what has no column."""

    name: str
    column: str
    key: Callable[[Holding], float | str]
    descending: bool = False


ORDERS = (
    Order("newest", "", lambda h: h.added_at.timestamp(), descending=True),
    Order("name", "name", lambda h: h.name.casefold()),
    Order("phase", "phase", lambda h: h.phase.value),
    Order("done", "done", lambda h: h.progress),
    Order("size", "size", lambda h: h.size_bytes, descending=True),
    Order("down", "down", lambda h: h.down_bps, descending=True),
    Order("up", "up", lambda h: h.up_bps, descending=True),
    Order("time left", "eta", lambda h: float("inf") if h.eta_s is None else h.eta_s),
    Order("ratio", "ratio", lambda h: h.ratio, descending=True),
    Order("swarm", "swarm", lambda h: h.seeds + h.peers, descending=True),
)


def row(holding: Holding, unwell: Unwell | None = None) -> Row:
    """The torrent's line in the table; one that is not well says so instead of its phase."""
    style = UNWELL_STYLES[unwell.verdict] if unwell else PHASE_STYLES.get(holding.phase, "")
    whose = f"{', '.join(holding.owners)} │ " if holding.owners else ""
    cells: tuple[Cell, ...] = (
        whose + short(holding.name),
        Piece(f"! {unwell.verdict}" if unwell else phase(holding), style),
        Bar(holding.progress, "good" if holding.is_complete else "bar"),
        Piece(percent(holding.progress), style),
        size(holding.size_bytes) if holding.size_bytes else Piece("?", "dim"),
        Piece(rate(holding.down_bps), "accent"),
        rate(holding.up_bps),
        eta(holding.eta_s) if not holding.is_complete else "",
        Piece(f"{holding.ratio:.2f}"[:5] if holding.ratio else "", "dim"),
        f"{holding.seeds}/{holding.peers}" if holding.seeds or holding.peers else "",
    )
    return Row(holding.infohash, cells)


@lru_cache(maxsize=4096)
def short(name: str) -> str:
    """What tells a release from its neighbours: its name without the group in front, the checksum and the ending."""
    return _TAIL.sub("", _GROUP.sub("", name)) or name


def phase(holding: Holding) -> str:
    """Where it is in its life, in a word or two."""
    return _WORDS.get(holding.phase, holding.phase.value)


def ill(unwell: Unwell, now: datetime) -> Said:
    """What is not well about it, why, and since when."""
    words = Span(unwell.verdict.value, UNWELL_STYLES[unwell.verdict])
    return said(words, f": {unwell.why}", right=[Span(f"since {ago(unwell.since, now)}", "dim")])


def in_order(holdings: Sequence[Holding], order: Order, *, reverse: bool) -> list[Holding]:
    """Sorted; among equals the newest first, as they come."""
    # Reversing twice keeps equals in the order they came.
    backwards = order.descending != reverse
    return sorted(holdings, key=order.key, reverse=backwards)


def totals(holdings: Sequence[Holding], usage: Usage | None) -> tuple[Span, ...]:
    """One line about all of them."""
    down, up = sum(h.down_bps for h in holdings), sum(h.up_bps for h in holdings)
    spans = [Span(f"  {count(len(holdings), 'torrent')}")]
    spans += [Span(f"  ↓ {rate(down)}", "accent")] if down else []
    spans += [Span(f"  ↑ {rate(up)}", "good")] if up else []
    if usage is not None:
        style: LineStyle = "warn" if usage.quota_bytes and usage.bytes > 0.9 * usage.quota_bytes else "dim"
        of = f" of {size(usage.quota_bytes)}" if usage.quota_bytes else ""
        spans.append(Span(f"  {size(usage.bytes)}{of} used", style))
        spans += [Span(f"  {usage.running} of {usage.quota_active} run", "dim")] if usage.is_busy else []
    return tuple(spans)


def facts(holding: Holding, now: datetime) -> tuple[Said, ...]:
    """What there is to know about it, in four lines."""
    style = PHASE_STYLES.get(holding.phase, "")
    shown: LineStyle = style if style != "bar" else ""
    moving = [
        f"↓ {rate(holding.down_bps)}" if holding.down_bps else "",
        f"↑ {rate(holding.up_bps)}" if holding.up_bps else "",
    ]
    left = f"{eta(holding.eta_s)} left" if eta(holding.eta_s) and not holding.is_complete else ""
    how = [
        f"{percent(holding.progress)} of {size(holding.size_bytes)}",
        *moving,
        left,
        f"ratio {holding.ratio:.2f}" if holding.ratio else "",
    ]
    swarm = f"{count(holding.seeds, 'seed')}, {count(holding.peers, 'peer')}"
    return (
        said(Span(holding.name, "accent")),
        said(Span(phase(holding), shown), " · " + " · ".join(part for part in [*how, swarm] if part)),
        said(Span(" · ".join(_history(holding, now)), "dim")),
    )


def _history(holding: Holding, now: datetime) -> list[str]:
    facts = [f"added {ago(holding.added_at, now)}"]
    if holding.completed_at is not None:
        facts.append(f"complete {ago(holding.completed_at, now)}")
    if episodes := holding.episodes or ((holding.episode,) if holding.episode is not None else ()):
        which = f"episode{'s' if len(episodes) > 1 else ''} {told(episodes)}"
        facts.append(f"only {which} of a batch" if holding.is_part else which)
    if holding.shared:
        facts.append("others have it too")
    if holding.sequential:
        facts.append("in order")
    limits = [
        f"{arrow} at most {rate(bps)}"
        for arrow, bps in (("↓", holding.down_limit_bps), ("↑", holding.up_limit_bps))
        if bps
    ]
    return facts + limits
