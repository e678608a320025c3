"""The verdict on every candidate for an episode, and their order, each with its reasons in words. No I/O.

First what a name means (`placing`), then what the user likes (`Taste`). The order is lexicographic and can be read off
`_order`; the score is that order as one number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from uuutorrent.releases.names import Reader
from uuutorrent.releases.placing import Place, known_titles, place_all
from uuutorrent.releases.release import SURE, Match, Ranked, Release, ReleaseName, Taste, Wanted

RAW_CATEGORY = "1_4"
TRANSLATED = ("1_2", "1_3")
LEAST_BYTES_PER_MIN = 1 << 20
"""Smaller than this is no watchable video; such a release comes after every plausible one."""
MOST_BYTES_PER_MIN = 700 << 20
"""Larger than this is more than one episode, whatever its name says."""
USUAL_MIN = 24


@dataclass(slots=True)
class _Candidate:
    release: Release
    name: ReleaseName
    place: Place
    complaints: tuple[str, ...] = ()
    superseded: bool = False

    @property
    def matches(self) -> bool:
        return not self.complaints


def rank(wanted: Wanted, taste: Taste, releases: Sequence[Release]) -> tuple[Ranked, ...]:
    """Every release with its verdict, score and reasons, best first.

    A match is the wanted episode and nothing else, and to the user's taste. Only a match with a confidence of `SURE`
    or more may be taken without asking.
    """
    candidates = _placed(wanted, releases)
    for candidate in candidates:
        candidate.complaints = tuple(_complaints(candidate, wanted, taste))
    _note_superseded(candidates)
    ranked = [(_order(candidate, wanted, taste), candidate) for candidate in candidates]
    ranked.sort(key=lambda pair: pair[0], reverse=True)
    return tuple(_ranked(candidate, _score(order), wanted, taste) for order, candidate in ranked)


def best(ranked: Sequence[Ranked]) -> Ranked | None:
    """The one to take without asking, if any."""
    first = next(iter(ranked), None)
    return first if first and first.verdict is Match.MATCH and first.confidence >= SURE else None


def _placed(wanted: Wanted, releases: Sequence[Release]) -> list[_Candidate]:
    reader = Reader(known_titles(wanted))
    posts = [(release, reader.read(release.title)) for release in releases]
    places = place_all(wanted, posts)
    return [_Candidate(release, name, place) for (release, name), place in zip(posts, places, strict=True)]


def _complaints(candidate: _Candidate, wanted: Wanted, taste: Taste) -> Iterator[str]:
    """Why a candidate is not taken; nothing when it is a match."""
    place, release, name = candidate.place, candidate.release, candidate.name
    if not place.ours:
        yield place.why[-1]
        return
    if place.is_batch:
        yield _about_batch(place, name, wanted)
        return
    if place.first != wanted.episode:
        yield place.why[-1] if place.first is None else f"episode {place.first}, not {wanted.episode}"
        return
    aired = wanted.family.anime.aired
    if aired is not None and wanted.episode > aired:
        yield f"episode {wanted.episode} has not aired yet, so this cannot be it"
    yield from _against_taste(release, name, taste)
    yield from _about_size(release, wanted, taste)


def _about_batch(place: Place, name: ReleaseName, wanted: Wanted) -> str:
    told = "a batch"
    if name.episode is not None and name.last_episode is not None:
        told = f"batch {name.episode:02}-{name.last_episode:02}"
        if not (place.first or 0) <= wanted.episode <= (place.last or 0):
            return f"{told} does not hold it"
    return f"{told} holds it; single episodes are preferred"


def _against_taste(release: Release, name: ReleaseName, taste: Taste) -> Iterator[str]:
    if name.resolution is not None and name.resolution not in taste.resolutions:
        yield f"{name.resolution}p; wanted: {_lines(taste)}"
    elif name.resolution is None and len(taste.resolutions) == 1:
        yield f"it names no resolution; wanted: {_lines(taste)}"
    if _same_in(name.group, taste.blocked_groups):
        yield f"{name.group} is blocked"
    if _is_raw(release, name):
        yield "a raw: nothing is translated"
    if release.remake and not taste.remakes:
        yield "a remake of another release"
    if release.seeders < taste.min_seeders:
        yield "no seeders, so nobody can send it" if release.seeders == 0 else f"only {release.seeders} seeders"


def _about_size(release: Release, wanted: Wanted, taste: Taste) -> Iterator[str]:
    minutes = _minutes(wanted)
    gigabytes = release.size_bytes / 2**30
    if release.size_bytes > minutes * MOST_BYTES_PER_MIN:
        yield f"{gigabytes:.1f} GiB is too much for {minutes} min; probably more than one episode"
    elif taste.max_bytes_per_min is not None and release.size_bytes > minutes * taste.max_bytes_per_min:
        yield f"{gigabytes:.1f} GiB is more than you want per episode"


def _is_tiny(release: Release, wanted: Wanted) -> bool:
    return release.size_bytes < _minutes(wanted) * LEAST_BYTES_PER_MIN


def _minutes(wanted: Wanted) -> int:
    return wanted.family.anime.duration_min or USUAL_MIN


def _is_raw(release: Release, name: ReleaseName) -> bool:
    if release.category in TRANSLATED:
        return False
    return release.category == RAW_CATEGORY or "raw" in release.category.lower() or name.raw_video


def _note_superseded(candidates: list[_Candidate]) -> None:
    """A later version replaces an earlier one of the same group, of nobody else."""
    newest: dict[tuple[str, int | None], int] = {}
    for candidate in candidates:
        if candidate.matches and candidate.name.group:
            key = (candidate.name.group.lower(), candidate.name.resolution)
            newest[key] = max(newest.get(key, 0), candidate.name.version)
    for candidate in candidates:
        key = (candidate.name.group.lower(), candidate.name.resolution)
        candidate.superseded = candidate.name.version < newest.get(key, 0)


_DIGITS = (8, 2, 16, 64, 2, 8, 8, 1 << 20)
"""How many values each place of `_order` can take. Their product is below 2**53: a float holds every order exactly."""


def _order(candidate: _Candidate, wanted: Wanted, taste: Taste) -> tuple[int, ...]:
    """What decides, the first difference first; higher is better."""
    release, name = candidate.release, candidate.name
    groups = [group.lower() for group in taste.groups]
    return (
        _nearness(candidate, wanted),
        int(not _is_tiny(release, wanted)),
        _place_from_end(name.resolution, taste.resolutions, 15),
        _place_from_end(name.group.lower(), groups, 63),
        int(not candidate.superseded),
        _place_from_end(name.codec, taste.codecs, 7),
        min(int(math.log10(release.seeders)) + 1, 7) if release.seeders > 0 else 0,
        # The smaller of two alike: it is there sooner and takes less of a quota.
        (1 << 20) - 1 - min(release.size_bytes >> 20, (1 << 20) - 1),
    )


def _nearness(candidate: _Candidate, wanted: Wanted) -> int:
    place = candidate.place
    if candidate.matches:
        return 6 if place.confidence >= SURE else 5
    if place.ours and place.first == wanted.episode and not place.is_batch:
        return 4
    if place.ours and place.is_batch and (place.first is None or place.first <= wanted.episode <= (place.last or 0)):
        return 3
    return 2 if place.ours else 1 if place.is_batch else 0


def _score(order: tuple[int, ...]) -> float:
    score = 0
    for digit, values in zip(order, _DIGITS, strict=True):
        score = score * values + digit
    return float(score)


def _place_from_end(value: object, wished: Sequence[object], most: int) -> int:
    """0 for what is not wished for, then higher the earlier it is wished for."""
    return min(len(wished), most) - list(wished[:most]).index(value) if value in wished[:most] else 0


def _ranked(candidate: _Candidate, score: float, wanted: Wanted, taste: Taste) -> Ranked:
    reasons = candidate.complaints if not candidate.matches else tuple(_praise(candidate, wanted, taste))
    return Ranked(
        release=candidate.release,
        name=candidate.name,
        verdict=Match.MATCH if candidate.matches else Match.REJECT,
        score=score,
        reasons=reasons,
        confidence=candidate.place.confidence,
        first=candidate.place.first if candidate.place.ours else None,
        last=candidate.place.last if candidate.place.ours else None,
    )


def _praise(candidate: _Candidate, wanted: Wanted, taste: Taste) -> Iterator[str]:
    release, name = candidate.release, candidate.name
    yield from candidate.place.why
    if candidate.place.confidence < SURE:
        yield "not certain enough to take without asking"
    if name.resolution is not None:
        yield f"{name.resolution}p"
    if _same_in(name.group, taste.groups):
        yield f"{name.group} is a group you prefer"
    if name.version > 1:
        yield f"version {name.version}"
    if candidate.superseded:
        yield "there is a newer version by the same group"
    yield f"{release.seeders} seeders"
    if _is_tiny(release, wanted):
        yield f"very small for {_minutes(wanted)} min"


def _same_in(group: str, groups: Sequence[str]) -> bool:
    return bool(group) and group.lower() in [other.lower() for other in groups]


def _lines(taste: Taste) -> str:
    return ", ".join(f"{lines}p" for lines in taste.resolutions)
