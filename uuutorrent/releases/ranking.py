"""The verdict on every candidate for an episode, and their order, each with its reasons in words. No I/O.

First what a name means (`placing`), then what the taste says of it (`liking`). The order is lexicographic and can be
read off `ladder.RUNGS`; the score is that order as one number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType

from uuutorrent.releases.ladder import SUREST, Standing, lead_of, order, outranks, score
from uuutorrent.releases.liking import Post, dislikes, likes, liveliness, too_few
from uuutorrent.releases.names import Reader
from uuutorrent.releases.placing import Place, known_titles, place_all
from uuutorrent.releases.release import SURE, Kind, Match, Ranked, Release, ReleaseName, Taste, Wanted

USUAL_MIN = 24
LEAST_TO_OFFER = 3
"""Fewer episodes than this are not worth a batch."""
_VOLUME = re.compile(r"(?<![^\W_])vol(?:ume)?s?(?![^\W\d_])", re.I)
NONE_BLOCKED: Mapping[str, str] = MappingProxyType({})
_NO_VIDEO = re.compile(
    r"\.(ass|ssa|srt|vtt|sup|mks|mka|m4a|cb[zr7]|pdf|epub|mobi|azw3|txt|nfo|zip|rar|7z|iso|exe)$",
    re.I,
)
"""Endings of files that cannot be watched."""


@dataclass(slots=True)
class _Candidate:
    """A post on its way to a verdict."""

    post: Post
    place: Place
    about: tuple[str, ...]
    """Whether it is the episode."""
    is_it: bool
    """It is the episode, or surely a batch with it."""
    holds: bool
    """It is, or has among others, the episode."""
    against: tuple[str, ...] = ()
    """What the taste has against it, but for who sends it; and that it is blocked."""
    thin: str = ""
    """Why too few people send it."""
    is_kept_back: bool = False
    is_superseded: bool = False
    is_outdated: bool = False
    """There is a later version, also among what nobody sends."""
    notes: list[str] = field(default_factory=list)

    @property
    def suits(self) -> bool:
        """It would match if enough people sent it and single episodes were not preferred."""
        return self.is_it and not self.against

    @property
    def matches(self) -> bool:
        return self.suits and not self.thin and not self.is_kept_back

    @property
    def is_certain(self) -> bool:
        return self.place.confidence >= SURE

    @property
    def is_alive(self) -> bool:
        return self.post.release.seeders > 0


def rank(
    wanted: Wanted, taste: Taste, releases: Sequence[Release], blocked: Mapping[str, str] = NONE_BLOCKED
) -> tuple[Ranked, ...]:
    """Every release with its verdict, score and reasons, best first. `blocked`: hashes that are no match, and why.

    A match is the wanted episode, or a batch with it where no single episode will do, and to the user's taste. Only a
    match with a confidence of `SURE` or more may be taken without asking.
    """
    candidates = _candidates(wanted, releases)
    for candidate in candidates:
        if candidate.place.ours:
            why = blocked.get(candidate.post.release.infohash)
            candidate.against = (*([why] if why else []), *dislikes(candidate.post, taste))
            candidate.thin = too_few(candidate.post.release, taste)
    _keep_batches_back(candidates)
    _note_later_versions(candidates)
    standings = [_standing(candidate) for candidate in candidates]
    orders = [order(standing, taste) for standing in standings]
    by_order = sorted(range(len(candidates)), key=orders.__getitem__, reverse=True)
    _note_better_but_dead(candidates, by_order, taste)
    leads = {
        first: lead_of(standings[first], standings[second], taste)
        for first, second in pairwise(at for at in by_order if candidates[at].matches)
    }
    return tuple(_ranked(candidates[at], score(orders[at]), leads.get(at, ""), wanted, taste) for at in by_order)


def best(ranked: Sequence[Ranked]) -> Ranked | None:
    """The one to take without asking, if any."""
    first = next(iter(ranked), None)
    return first if first and first.verdict is Match.MATCH and first.confidence >= SURE else None


def batch_worth_offering(ranked: Sequence[Ranked], wanted: Wanted, seen: int | None) -> Ranked | None:
    """The best batch with all that is still to be seen, where that is most of a finished show. `seen`: how many are."""
    anime, first = wanted.family.anime, wanted.episode
    if anime.status != "FINISHED" or anime.episodes is None:
        return None
    left = anime.episodes - max(first - 1, seen or 0)
    if left < LEAST_TO_OFFER or left * 2 < anime.episodes:
        return None
    return next((one for one in ranked if _is_offer(one, first, anime.episodes)), None)


def _is_offer(one: Ranked, first: int, last: int) -> bool:
    to_taste = one.verdict is Match.MATCH or one.is_kept_back
    holds_all = one.first is None or (one.first <= first and (one.last or 0) >= last)
    return one.is_batch and to_taste and holds_all and one.confidence >= SURE and one.release.seeders > 0


# --- is it the episode?


def _candidates(wanted: Wanted, releases: Sequence[Release]) -> list[_Candidate]:
    reader = Reader(known_titles(wanted))
    posts = [(release, reader.read(release.title)) for release in releases]
    places = place_all(wanted, posts)
    return [_candidate(wanted, release, name, place) for (release, name), place in zip(posts, places, strict=True)]


def _candidate(wanted: Wanted, release: Release, name: ReleaseName, place: Place) -> _Candidate:
    post = Post(release, name, wanted.family.anime.duration_min or USUAL_MIN, _episodes(wanted, name, place))
    if not place.ours:
        return _Candidate(post, place, place.why, is_it=False, holds=False)
    holds = place.first is None if place.is_batch else place.first == wanted.episode
    if place.is_batch and place.first is not None:
        holds = place.first <= wanted.episode <= (place.last or 0)
    complaints = tuple(_not_it(wanted, name, place, holds=holds))
    return _Candidate(post, place, _about(place, complaints, holds=holds), is_it=holds and not complaints, holds=holds)


def _not_it(wanted: Wanted, name: ReleaseName, place: Place, *, holds: bool) -> Iterator[str]:
    """Why it is not, or not surely, the episode; what its place says already is not said again."""
    anime = wanted.family.anime
    if ending := _NO_VIDEO.search(name.raw.rstrip()):
        yield f"a file that ends in .{ending[1].lower()} is no video"
    elif not holds:
        if place.first is not None and not place.is_batch:
            yield f"episode {place.first}, not {wanted.episode}"
    elif anime.aired is not None and wanted.episode > anime.aired and not place.is_corrected:
        yield f"episode {wanted.episode} has not aired yet, so this cannot be it"
    elif place.is_batch and place.first is None and not place.is_corrected:
        if _VOLUME.search(name.raw):
            yield "a volume, and which episodes are in it is not told"
        elif name.kind is not Kind.BATCH or anime.status != "FINISHED":
            yield "it is not certain what is in it"


def _about(place: Place, complaints: Sequence[str], *, holds: bool) -> tuple[str, ...]:
    *before, last = place.why or ("",)
    if place.is_batch:
        told = "holds it" if holds else "does not hold it"
        last = f"{last} {told}" if last.startswith("batch") else f"{last}, which {told}" if last else told
    elif complaints and last == f"episode {place.first}":
        last = ""
    return tuple(said for said in (*before, last, *complaints) if said)


def _episodes(wanted: Wanted, name: ReleaseName, place: Place) -> int | None:
    """How many episodes a post holds."""
    if not place.is_batch:
        return 1
    if name.episode is not None and name.last_episode is not None:
        return max(1, name.last_episode - name.episode + 1)
    if name.last_season is not None or _VOLUME.search(name.raw):
        return None
    return wanted.family.anime.episodes


# --- what the candidates are to each other


def _keep_batches_back(candidates: Sequence[_Candidate]) -> None:
    """A batch is taken only where no single episode will do."""
    singles = [one for one in candidates if one.matches and not one.place.is_batch]
    is_enough = any(one.is_certain and one.is_alive for one in singles)
    for candidate in candidates:
        candidate.is_kept_back = is_enough and candidate.is_it and candidate.place.is_batch


def _note_later_versions(candidates: Sequence[_Candidate]) -> None:
    """A later version replaces an earlier one of the same group, of nobody else."""
    for live_only in (True, False):
        newest: dict[tuple[str, int | None, bool], int] = {}
        for one in candidates:
            if (one.matches if live_only else one.suits) and one.post.name.group:
                newest[_line(one)] = max(newest.get(_line(one), 0), one.post.name.version)
        for one in candidates:
            is_older = one.post.name.version < newest.get(_line(one), 0)
            one.is_outdated |= is_older
            one.is_superseded |= is_older and live_only


def _line(candidate: _Candidate) -> tuple[str, int | None, bool]:
    """What only one of can be wanted."""
    name = candidate.post.name
    return name.group.lower(), name.resolution, candidate.place.is_batch


def _note_better_but_dead(candidates: Sequence[_Candidate], by_order: Sequence[int], taste: Taste) -> None:
    """Say of the winner what would win if enough people sent it."""
    winner = next((candidates[at] for at in by_order), None)
    if winner is None or not winner.matches or not winner.is_certain or not winner.is_alive:
        return
    first = _standing(winner, with_dead=True)
    better = [
        one
        for one in candidates
        if one.suits and one.is_certain and (one.thin or not one.is_alive) and not one.place.is_batch
        if outranks(_standing(one, with_dead=True), first, taste)
    ]
    if better:
        name, seeders = better[0].post.name, better[0].post.release.seeders
        what = [f"{name.resolution}p"] if name.resolution else []
        what += [f"v{name.version}"] if name.version > 1 else []
        named = f"{' '.join(what) or 'one'} of {name.group or 'no group'}"
        told = "nobody seeds it" if seeders == 0 else f"only {seeders} seed it"
        winner.notes.append(f"{named} would be better, but {told}")


def _standing(candidate: _Candidate, *, with_dead: bool = False) -> Standing:
    """Where it stands; `with_dead`: were it a match, and later versions counted whoever sends them."""
    return Standing(
        post=candidate.post,
        nearness=SUREST if with_dead else _nearness(candidate),
        is_single=not candidate.place.is_batch,
        is_current=not (candidate.is_outdated if with_dead else candidate.is_superseded),
    )


def _nearness(candidate: _Candidate) -> int:
    if candidate.matches:
        return SUREST if candidate.is_certain else SUREST - 1
    if candidate.holds:
        return 3 if candidate.place.is_batch else 4
    return 2 if candidate.place.ours else 1 if candidate.place.is_batch else 0


# --- the verdict in words


def _ranked(candidate: _Candidate, points: float, lead: str, wanted: Wanted, taste: Taste) -> Ranked:
    place = candidate.place
    about = (*candidate.about, *_about_certainty(candidate, wanted))
    return Ranked(
        release=candidate.post.release,
        name=candidate.post.name,
        verdict=Match.MATCH if candidate.matches else Match.REJECT,
        score=points,
        reasons=(*about, *(_praise(candidate, taste) if candidate.matches else _complaints(candidate))),
        confidence=place.confidence,
        first=place.first if place.ours else None,
        last=place.last if place.ours else None,
        is_batch=place.is_batch,
        is_corrected=place.is_corrected,
        about_episode=len(about),
        lead=lead,
        offset=place.offset if place.ours else None,
        is_clear=place.is_clear,
        is_kept_back=candidate.suits and candidate.is_kept_back and not candidate.thin,
    )


def _about_certainty(candidate: _Candidate, wanted: Wanted) -> Iterator[str]:
    if candidate.matches and candidate.place.is_batch:
        yield f"no single episode will do, so only episode {wanted.episode} of it is fetched"
    if candidate.is_it and not candidate.is_certain:
        yield "not certain enough to take without asking"


def _praise(candidate: _Candidate, taste: Taste) -> Iterator[str]:
    yield from likes(candidate.post, taste)
    if candidate.is_superseded:
        yield "there is a newer version by the same group"
    yield from liveliness(candidate.post)
    yield from candidate.notes


def _complaints(candidate: _Candidate) -> Iterator[str]:
    if candidate.is_kept_back:
        yield "single episodes are preferred"
    yield from candidate.against
    if candidate.thin:
        yield candidate.thin
