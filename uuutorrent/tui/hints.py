"""What is to be known beside the candidates: a batch that is worth it, a group that is waited for, what others say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from uuutorrent.releases.release import Found, Offer, Ranked
from uuutorrent.torrents.usage import Usage
from uuutorrent.tui.correcting import in_words
from uuutorrent.tui.figures import size, span
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said

SHORT = 46
"""Letters that fit beside the keys on 80 columns."""


def hints(found: Found | None, usage: Usage | None, now: datetime) -> Iterator[Said]:
    """One line for each, with the keys that answer it."""
    if found is None:
        return
    if found.best is not None and not found.best.is_batch and usage is not None and usage.left_bytes is not None:
        needs = found.best.release.size_bytes
        if needs > usage.left_bytes:
            yield said(Span("No room: ", "warn"), f"★ needs {size(needs)}, {size(usage.left_bytes)} of your quota left")
    if found.batch is not None:
        yield _batch(found.batch, usage)
    if found.wait_until is not None and found.wait_until > now:
        left = span((found.wait_until - now).total_seconds())
        yield said(Span("Not fetched by itself yet: ", "warn"), f"a group you prefer has {left} left to post it")
    for offer in found.offers[:1]:
        yield from _offered(offer, found.wanted.family.offset, more=len(found.offers) - 1)


def _batch(batch: Ranked, usage: Usage | None) -> Said:
    needs = batch.release.size_bytes
    which = f"{batch.first}-{batch.last}" if batch.first is not None else "the season"
    key: list[Span | str] = [Span(" b ", "key", "screen.batch"), "takes it"]
    told: list[Span | str] = [Span(f"Batch of {which}: ", "accent"), size(needs)]
    if usage is None or (free := usage.left_bytes) is None:
        return said(*told, right=key)
    if needs > free:
        return said(*told, Span(f", only {size(free)} of your quota left", "warn"), right=key)
    return said(*told, f", leaves {size(free - needs)} of your quota", right=key)


def _offered(offer: Offer, before: int, *, more: int) -> Iterator[Said]:
    words = in_words(offer.correction, before) + (f" (and {more} more)" if more else "")
    keys: list[Span | str] = [
        Span(" y ", "key", "screen.answer(True)"), "yes ",
        Span(" n ", "key", "screen.answer(False)"), "no",
    ]  # fmt: skip
    if len(words) <= SHORT:
        yield said(Span("Others say: ", "accent"), words, right=keys)
        return
    yield said(Span("Others say: ", "accent"), words, wraps=True)
    yield said(*keys)
