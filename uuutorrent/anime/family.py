"""Families: an anime among its prequels, sequels and siblings, walked over AniList's relations."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from uuutorrent.anime.anilist import AniList
from uuutorrent.anime.anime import Anime, Family, MediaId, Relative
from uuutorrent.errors import Missing, RemoteError
from uuutorrent.remote import Clock, Fresh

DAY_S = 86400.0
UNSETTLED_S = 3600.0
"""How long a family counts while a prequel's number of episodes is not known."""
MOST_QUESTIONS = 6
"""Per family; one brings two generations, so this is a dozen seasons."""

SERIAL: Final = ("TV", "TV_SHORT", "ONA")
"""Formats whose episodes are numbered on from season to season."""
SHORTEST_SEASON = 4
"""Episodes; a shorter ONA or TV_SHORT before a TV show is a pilot or a recap, not a season."""
CLOSE: Final = (
    "PREQUEL",
    "SEQUEL",
    "PARENT",
    "SIDE_STORY",
    "SUMMARY",
    "ALTERNATIVE",
    "SPIN_OFF",
    "COMPILATION",
    "CONTAINS",
)
"""Relations over which a relative's own relatives are still family. Source: AniList schema, MediaRelation."""


class Families:
    """The families of all shows, shared between users and kept for a day."""

    def __init__(self, anilist: AniList, *, clock: Clock = time.monotonic) -> None:
        self._anilist = anilist
        self._kept: Fresh[MediaId, Family] = Fresh("AniList family", entries=512, clock=clock)

    async def of(self, media_id: MediaId) -> Family:
        """The family of a show, and the show as it is now. One question per two generations of prequels, once a day.

        While AniList is away, the family as it was; or, of a show known to have no prequel, what its relations say.

        Raises:
            Missing: AniList has no such show.
            RemoteError: AniList is away and the prequels are not known.
        """
        try:
            family = await self._kept.get(media_id, _ttl_s, partial(self._walk, media_id))
            shows = await self._anilist.media([media_id])
        except RemoteError:
            if (old := self.known(media_id)) is None:
                raise
            return old
        return replace(family, anime=shows.get(media_id, family.anime))

    async def foresee(self, ids: Iterable[MediaId]) -> None:
        """Learn the families of some shows before anybody asks: one question for all, and their direct prequels.

        Raises:
            RemoteError: AniList is away.
        """
        unknown = [media_id for media_id in ids if not self.is_known(media_id)]
        if not unknown:
            return
        known = await self._anilist.kin({*unknown, *(first for one in unknown for first in self._first_prequel(one))})
        for media_id in unknown:
            if media_id in known:
                await self._kept.get(media_id, _ttl_s, partial(self._walk, media_id, known))

    def is_known(self, media_id: MediaId) -> bool:
        """Whether the family of a show can be told without asking."""
        return self._kept.peek(media_id, _ttl_s) is not None

    def known(self, media_id: MediaId) -> Family | None:
        """The family as it was when it was seen last; None when it cannot be told without asking."""
        anime = self._anilist.known(media_id)
        if (old := self._kept.peek(media_id)) is not None:
            return replace(old, anime=anime or old.anime)
        return None if anime is None or _prequel(anime, set()) is not None else _family(anime, (), {})

    def _first_prequel(self, media_id: MediaId) -> tuple[MediaId, ...]:
        """The prequel of a show that was seen before, so that one question brings both."""
        anime = self._anilist.known(media_id)
        first = _prequel(anime, set()) if anime is not None else None
        return () if first is None else (first.media_id,)

    async def _walk(self, media_id: MediaId, known: Mapping[MediaId, Anime] | None = None) -> Family:
        if known is None:
            known = await self._anilist.kin([media_id, *self._first_prequel(media_id)])
        if (anime := known.get(media_id)) is None:
            raise Missing(f"AniList knows no anime {media_id}")
        before: list[Anime] = []
        asked, seen, current = 1, {media_id}, anime
        while (prequel := _prequel(current, seen)) is not None:
            seen.add(prequel.media_id)
            if prequel.media_id not in known and asked < MOST_QUESTIONS:
                known = {**await self._anilist.kin([prequel.media_id]), **known}
                asked += 1
            if (found := known.get(prequel.media_id)) is None:
                break
            current = found
            before.append(current)
        return _family(anime, before, known)


def _ttl_s(family: Family) -> float:
    return DAY_S if all(prequel.episodes for prequel in family.prequels) else UNSETTLED_S


def _prequel(anime: Anime, seen: set[MediaId]) -> Relative | None:
    """The prequel to go on with: a serial one if there is, the latest of several."""
    all_before = [r for r in anime.relatives if r.relation == "PREQUEL" and r.media_id not in seen]
    # A film between two seasons is not a season, but the way to the first one leads through it.
    return max(all_before, key=lambda r: (r.format in SERIAL, r.format == anime.format, r.year or 0), default=None)


def _family(anime: Anime, before: Iterable[Anime], known: Mapping[MediaId, Anime]) -> Family:
    line = tuple(before)
    prequels = tuple(one for one in line if _is_season(one, anime)) if anime.format in SERIAL else ()
    others = {one.media_id: one.titles for one in line} | dict(_others((anime, *line), known))
    return Family(
        anime=anime,
        offset=sum(prequel.episodes or 0 for prequel in prequels),
        season=len(prequels) + 1,
        prequels=prequels,
        others={media_id: titles for media_id, titles in others.items() if media_id != anime.media_id and titles},
    )


def _is_season(before: Anime, anime: Anime) -> bool:
    if before.format == "TV" or before.format == anime.format:
        return True
    return before.format in SERIAL and (before.episodes is None or before.episodes >= SHORTEST_SEASON)


def _others(line: Iterable[Anime], known: Mapping[MediaId, Anime]) -> Iterator[tuple[MediaId, tuple[str, ...]]]:
    for member in line:
        for relative in member.relatives:
            yield relative.media_id, relative.titles
            if relative.relation in CLOSE and (near := known.get(relative.media_id)) is not None:
                yield from (
                    (further.media_id, further.titles) for further in near.relatives if further.relation in CLOSE
                )
