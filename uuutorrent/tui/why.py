"""Why a release is where it is: every reason in a short line, those about the episode beside those about taste."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll

from uuutorrent.releases.release import SURE, Match, Ranked
from uuutorrent.tui.figures import ago, count, size, sure
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Panel, Said, point, said


class Why(VerticalScroll, can_focus=False):
    """What is known of one release, and the verdict on it."""

    def compose(self) -> ComposeResult:
        """Its name and figures over two columns of reasons."""
        yield Panel(id="about-release")
        with Horizontal(id="reasons"):
            yield Panel(id="placed")
            yield Panel(id="liked")

    def explain(self, ranked: Ranked | None, episode: int, *, is_best: bool = False) -> None:
        """Show this one, as an answer to the question for `episode`; None: nothing."""
        self.query_one("#about-release", Panel).fill(*(_about(ranked, datetime.now(UTC)) if ranked else ()))
        self.query_one("#placed", Panel).fill(*(_placed(ranked, episode) if ranked else ()))
        self.query_one("#liked", Panel).fill(*(_liked(ranked, episode, is_best=is_best) if ranked else ()))
        self.scroll_home(animate=False)


def holds(ranked: Ranked, episode: int) -> bool:
    """Whether the release is read as this episode, or as a batch with it."""
    is_named = (ranked.first or 0) <= episode <= (ranked.last or 0)
    return ranked.verdict is Match.MATCH or ranked.is_kept_back or is_named


def _about(ranked: Ranked, now: datetime) -> Sequence[Said]:
    release, name = ranked.release, ranked.name
    facts = [
        name.group or "no group named",
        f"{name.resolution}p" if name.resolution else "",
        name.source,
        f"{name.codec} {name.bit_depth}-bit" if name.bit_depth and name.codec else name.codec,
        f"v{name.version}" if name.version > 1 else "",
        f"spoken {'/'.join(name.audio)}" if name.audio else "",
        f"written {'/'.join(name.subtitles)}" if name.subtitles else "",
        size(release.size_bytes),
        count(release.seeders, "seeder"),
        "trusted" if release.trusted else "",
        "remake" if release.remake else "",
        ago(release.posted_at, now) if release.posted_at else "",
    ]
    return (
        said(Span(release.title, "accent"), wraps=True),
        said(Span(" · ".join(fact for fact in facts if fact), "dim"), wraps=True),
    )


def _split(ranked: Ranked) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The reasons about the episode, and the others."""
    return ranked.reasons[: ranked.about_episode], ranked.reasons[ranked.about_episode :]


def _placed(ranked: Ranked, episode: int) -> Iterator[Said]:
    yield said(_reading(ranked, episode))
    reasons, _ = _split(ranked)
    yield from _points(reasons)
    if ranked.is_batch and holds(ranked, episode) and not any("fetched" in reason for reason in ranked.reasons):
        yield from _points(["only this file of it is fetched"])


def _reading(ranked: Ranked, episode: int) -> Span:
    """What the release is taken for."""
    what = f"{'holds' if ranked.is_batch else 'is'} episode {episode}"
    if ranked.verdict is Match.MATCH and ranked.confidence < SURE:
        return Span(f"Perhaps {'has ' if ranked.is_batch else ''}episode {episode}: {sure(ranked.confidence)}", "warn")
    if holds(ranked, episode):
        return Span(f"It {what}" + (f", {sure(ranked.confidence)}" if ranked.confidence < 1 else ""), "good")
    is_open = ranked.is_batch and ranked.first is None
    return Span("Rejected", "bad") if is_open else Span(f"It is not episode {episode}", "bad")


def _liked(ranked: Ranked, episode: int, *, is_best: bool) -> Iterator[Said]:
    _, reasons = _split(ranked)
    if ranked.verdict is Match.MATCH:
        yield said(Span("To your taste", "good"))
    elif holds(ranked, episode):
        yield said(Span("Not taken", "bad"))
    elif reasons:
        yield said(Span("Besides", "dim"))
    yield from _points(reasons)
    if is_best and ranked.lead:
        yield point(Span(ranked.lead, "accent"), bullet=Span("★ ", "accent"))


def _points(reasons: Sequence[str]) -> Iterator[Said]:
    for reason in reasons:
        yield point(reason, bullet=Span("· ", "dim"))
