"""What a search came to, in a sentence or two for people. No I/O.

What was chosen and why; or what was looked for, what is there instead, and when it airs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from uuutorrent.anime.anime import Anime
from uuutorrent.releases.release import Match, Ranked, Wanted

MOST_TITLES = 3
MOST_NEAR = 5
"""How many episodes are named that are there instead."""


def chosen(best: Ranked) -> str:
    """What is taken, and why."""
    return f"{best.release.title}: {'; '.join(best.reasons)}."


def not_found(wanted: Wanted, ranked: Sequence[Ranked], asked: Sequence[str], posts: int) -> str:
    """What was looked for, what is there instead, and when it airs. `ranked` is best first."""
    anime, episode = wanted.family.anime, wanted.episode
    if anime.episodes is not None and episode > anime.episodes:
        return f"{anime.title} has {anime.episodes} episodes, so there is no episode {episode}."
    if anime.aired is not None and episode > anime.aired:
        told = (f"Episode {episode} of {anime.title} has not aired yet.", _airs(anime), _nearby(wanted, ranked))
        return " ".join(filter(None, told))
    if not asked:
        return f"AniList names no title of {anime.title} that the index could be asked for."
    unknown = "" if anime.aired is not None else "AniList does not tell whether it has aired."
    missing = f"No release of {anime.title} episode {episode} was found that can be taken."
    looked = f"Looked through {posts} posts for {_looked_for(asked[0])}."
    return " ".join(filter(None, (missing, _instead(wanted, ranked), unknown, looked)))


def _looked_for(query: str) -> str:
    """The titles of a question, without its grammar."""
    titles = [title.strip("()") for title in query.split("|")]
    more = [f"{len(titles) - MOST_TITLES} more titles"] if len(titles) > MOST_TITLES + 1 else titles[MOST_TITLES:]
    return " or ".join([*titles[:MOST_TITLES], *more])


def _instead(wanted: Wanted, ranked: Sequence[Ranked]) -> str:
    """Why what comes nearest is not taken."""
    holding = [one for one in ranked if _holds(one, wanted.episode)]
    if not holding:
        return _nearby(wanted, ranked) or "The index lists nothing of this show."
    nearest, why = holding[0], "; ".join(holding[0].reasons)
    if nearest.verdict is Match.MATCH:
        return f"Not certain: {nearest.release.title} ({why}); choose it by hand if it is right."
    if len(holding) == 1:
        return f"Nearest: {nearest.release.title} ({why})."
    if not any(one.release.seeders for one in holding):
        return f"There are {len(holding)} releases of it, and nobody has them any more: they have no seeders."
    return f"There are {len(holding)} releases of it; nearest: {nearest.release.title} ({why})."


def _holds(one: Ranked, episode: int) -> bool:
    """Whether it is, or has among others, the episode."""
    if one.verdict is Match.MATCH or any("holds it" in reason for reason in one.reasons):
        return True
    return one.first is not None and one.first <= episode <= (one.last or 0)


def _nearby(wanted: Wanted, ranked: Sequence[Ranked]) -> str:
    """Which other episodes are there, alone or in batches."""
    singles = [one for one in ranked if one.first not in (None, wanted.episode) and one.first == one.last]
    batches = {(one.first, one.last) for one in ranked if one.first is not None and one.first != one.last}
    found = {one.first for one in singles if one.first is not None}
    near = sorted(sorted(found, key=lambda number: (abs(number - wanted.episode), number))[:MOST_NEAR])
    told = [f"episode {', '.join(map(str, near))}"] if near else []
    told += [f"a batch of {first}-{last}" for first, last in sorted(batches)[:1]]
    if not told:
        return ""
    dead = singles and not any(one.release.seeders for one in singles)
    return f"There is {' and '.join(told)}{', without seeders' if dead else ''}."


def _airs(anime: Anime) -> str:
    if anime.next_episode is None or anime.next_airs_at is None:
        return "AniList does not know when it airs."
    return f"Episode {anime.next_episode} airs {anime.next_airs_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
