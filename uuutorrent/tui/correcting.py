"""What a person can say about a release that was read wrongly, and the words for it. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from uuutorrent.releases.placing import known_titles
from uuutorrent.releases.release import Correction, Form, Kind, Match, Offer, Ranked, Wanted
from uuutorrent.releases.words import key
from uuutorrent.tui.dialogs import Ask, Choice
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import said

EVERYBODY = "everybody"
"""Whose numbers a correction is about that names no group."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One thing to do about a release: say something new of it, or take back what was said."""

    label: str
    says: Correction | None = None
    takes_back: int | None = None
    """The id of an offer."""


def fixes(wanted: Wanted, ranked: Ranked, mine: Sequence[Offer] = ()) -> tuple[Fix, ...]:
    """What can be said about a release, where it is not read that way already; `mine`: what was said before."""
    before = wanted.family.offset
    made = [offer for offer in mine if concerns(offer.correction, ranked)]
    known = {_meaning(offer.correction) for offer in made}
    new = [Fix(label, says) for label, says in _sayable(wanted, ranked) if _meaning(says) not in known]
    back = [Fix(f"Take it back: {in_words(one.correction, before)}", takes_back=one.id) for one in made]
    return (*new, *back)


def concerns(correction: Correction, ranked: Ranked) -> bool:
    """Whether a correction is about this release."""
    name = ranked.name
    if correction.form is Form.OFFSET:
        return not correction.group or correction.group.casefold() == name.group.casefold()
    if correction.form is Form.TITLE:
        return key(correction.title) in {key(title) for title in (name.title, *name.others)}
    return correction.infohash == ranked.release.infohash


def in_words(correction: Correction, before: int | None = None) -> str:
    """What a correction says, as the middle of a sentence. `before`: the episodes of all seasons before, if known."""
    if correction.form is Form.TITLE:
        return f"“{correction.title}” is this show"
    if correction.form is Form.OFFSET:
        return f"{correction.group or EVERYBODY} {_counting(correction.offset or 0, before)}"
    what = "is" if correction.form is Form.IS else "is not"
    return f"{correction.title or 'a release'} {what} episode {correction.episode}"


def ask(ranked: Ranked, choices: Sequence[Fix]) -> Ask:
    """The question what is wrong; the answer is the place of a fix in `choices`."""
    about = [said(Span(ranked.release.title, "accent"), wraps=True)]
    about.append(said(Span("It is remembered for this show, and you can take it back.", "dim"), wraps=True))
    listed = [Choice(str(n), fix.label, str(n - 1)) for n, fix in enumerate(choices, 1)]
    return Ask("What is right?", *about, choices=listed)


def _meaning(correction: Correction) -> Correction:
    """Equal for whatever says the same: whose name it was said of does not matter."""
    title = key(correction.title) if correction.form is Form.TITLE else ""
    return replace(correction, group=correction.group.casefold(), title=title)


def _sayable(wanted: Wanted, ranked: Ranked) -> Iterator[tuple[str, Correction]]:
    episode, name = wanted.episode, ranked.name
    media_id, infohash, title = wanted.family.anime.media_id, ranked.release.infohash, ranked.release.title
    is_several = name.kind is Kind.BATCH or name.last_episode is not None
    is_it = ranked.verdict is Match.MATCH or (ranked.first or 0) <= episode <= (ranked.last or 0)
    if not is_several and (not is_it or ranked.confidence < 1):
        form = Correction(Form.IS, media_id, infohash=infohash, episode=episode, title=title)
        yield f"This is episode {episode}", form
    if is_it:
        form = Correction(Form.IS_NOT, media_id, infohash=infohash, episode=episode, title=title)
        yield f"This {'does not hold' if ranked.is_batch else 'is not'} episode {episode}", form
    is_known = key(name.title) in {key(known) for known in known_titles(wanted)}
    for offset in _offsets(wanted, ranked, is_known=is_known):
        form = Correction(Form.OFFSET, media_id, group=name.group, offset=offset, title=title)
        given = name.episode or 0
        sum_ = f"{given} = {offset} + {given - offset}" if offset else f"{given} is episode {given}"
        yield f"{name.group} {_counting(offset, wanted.family.offset)} ({sum_})", form
    if name.title and not is_known:
        yield f"“{name.title}” is this show", Correction(Form.TITLE, media_id, title=name.title)


def _offsets(wanted: Wanted, ranked: Ranked, *, is_known: bool) -> Iterator[int]:
    """How else the group may number this show, so that the name's number is an episode of it.

    Of a title that nobody knows only what makes it the wanted episode, and other than by its own number.
    """
    name, count = ranked.name, wanted.family.anime.episodes
    if not name.group or name.episode is None or name.last_episode is not None:
        return
    to_be_it = name.episode - wanted.episode
    known = (wanted.family.offset, to_be_it, 0) if is_known else (to_be_it or -1,)
    for offset in dict.fromkeys(known):
        number = name.episode - offset
        is_possible = offset >= 0 and number >= 1 and (count is None or number <= count)
        if is_possible and ranked.first != number:
            yield offset


def _counting(offset: int, before: int | None) -> str:
    if offset == 0:
        return "starts every season at 1"
    if offset == before:
        return "counts on from the first season"
    return f"runs {offset} ahead of the show's own numbers"
