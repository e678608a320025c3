"""Finding the release of an episode: few questions to the index, one verdict per post."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from uuutorrent.accounts import User
from uuutorrent.anime.anime import Anime, Family, MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.errors import Invalid
from uuutorrent.releases import ranking
from uuutorrent.releases.marks import HEIGHTS
from uuutorrent.releases.nyaa import PAGE, Nyaa
from uuutorrent.releases.questions import Questions
from uuutorrent.releases.release import Found, Match, Ranked, Release, Taste, Wanted
from uuutorrent.releases.tastes import Tastes
from uuutorrent.store.database import Database

AIRING_TTL_S = 300.0
FINISHED_TTL_S = 1800.0


class Releases:
    """What can be had of an episode."""

    def __init__(self, database: Database, nyaa: Nyaa, watchlists: Watchlists) -> None:
        self.tastes = Tastes(database)
        self._nyaa = nyaa
        self._watchlists = watchlists

    async def find(self, user: User, media_id: MediaId, episode: int, *, quality: int | None = None) -> Found:
        """The candidates for an episode, best first, and the one to take, if any is certain enough.

        `quality` is the only resolution wanted (lines), in place of the user's taste. Nothing is taken for an episode
        that is not there or has not aired; `Found.said` tells what was looked for.

        Raises:
            Invalid: there is no such quality, or episodes do not begin at 1.
            Missing: AniList knows no such anime.
            RemoteError: AniList or the index let us down.
        """
        if episode < 1:
            raise Invalid("episodes are counted from 1", field="episode")
        taste = _narrowed(await self.tastes.of(user, media_id), quality)
        family = _as_of(await self._watchlists.family(media_id), datetime.now(UTC))
        hunt = _Hunt(Wanted(family, episode), taste)
        if family.anime.episodes is None or episode <= family.anime.episodes:
            await self._ask(hunt, Questions(family, episode))
        return hunt.found()

    async def torrent_file(self, release: Release) -> bytes:
        """The .torrent file of a release, from the index itself.

        Raises:
            Missing: there is only a magnet.
            RemoteError: the index let us down, or the link leads elsewhere.
        """
        return await self._nyaa.torrent_file(release)

    async def _ask(self, hunt: _Hunt, questions: Questions) -> None:
        """One question in the usual case; more only while the episode is missing and another can still find it."""
        airing = hunt.wanted.family.anime.status != "FINISHED"
        for narrowed in (False, True):
            full = await self._one(hunt, questions.numbered if narrowed else questions.titles, airing=airing)
            if hunt.is_over or not full:
                break
        if not hunt.is_over:
            await self._one(hunt, questions.plain_numbered if hunt.was_full else questions.plain, airing=airing)

    async def _one(self, hunt: _Hunt, query: str, *, airing: bool) -> bool:
        """Ask and rank; True when the answer was full."""
        started = time.perf_counter()
        answer = await self._nyaa.search(query, ttl_s=AIRING_TTL_S if airing else FINISHED_TTL_S)
        hunt.take(query, answer, (time.perf_counter() - started) * 1000)
        started = time.perf_counter()
        # A full answer takes tens of milliseconds, in which no screen may wait.
        hunt.ranked = await asyncio.to_thread(ranking.rank, hunt.wanted, hunt.taste, tuple(hunt.releases.values()))
        hunt.rank_ms += (time.perf_counter() - started) * 1000
        return len(answer) >= PAGE


@dataclass(slots=True)
class _Hunt:
    """One search on its way."""

    wanted: Wanted
    taste: Taste
    releases: dict[str, Release] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    ranked: tuple[Ranked, ...] = ()
    was_full: bool = False
    search_ms: float = 0.0
    rank_ms: float = 0.0

    def take(self, query: str, answer: Sequence[Release], took_ms: float) -> None:
        self.asked.append(query)
        self.releases |= {release.infohash: release for release in answer}
        self.was_full |= len(answer) >= PAGE
        self.search_ms += took_ms

    @property
    def is_over(self) -> bool:
        """Nothing more needs asking: it was found, or cannot be there yet."""
        aired = self.wanted.family.anime.aired
        return ranking.best(self.ranked) is not None or (aired is not None and self.wanted.episode > aired)

    def found(self) -> Found:
        best = ranking.best(self.ranked)
        return Found(
            wanted=self.wanted,
            best=best,
            candidates=self.ranked,
            asked=tuple(self.asked),
            said=_chosen(best) if best else _not_found(self),
            search_ms=self.search_ms,
            rank_ms=self.rank_ms,
        )


def _chosen(best: Ranked) -> str:
    return f"{best.release.title}: {'; '.join(best.reasons)}."


def _not_found(hunt: _Hunt) -> str:
    """What was looked for, what is there instead, and when it airs."""
    anime, episode = hunt.wanted.family.anime, hunt.wanted.episode
    if anime.episodes is not None and episode > anime.episodes:
        return f"{anime.title} has {anime.episodes} episodes, so there is no episode {episode}."
    if anime.aired is not None and episode > anime.aired:
        return " ".join(
            filter(None, (f"Episode {episode} of {anime.title} has not aired yet.", _airs(anime), _nearby(hunt)))
        )
    looked = f"Looked through {len(hunt.releases)} posts for {' or '.join(hunt.asked[:1])}."
    return (
        f"No release of {anime.title} episode {episode} was found that can be taken. {_instead(hunt)} {looked}".replace(
            "  ", " "
        )
    )


def _instead(hunt: _Hunt) -> str:
    """Why what comes nearest is not taken."""
    nearest = next(iter(hunt.ranked), None)
    if nearest is None:
        return "The index lists nothing of this show."
    if nearest.verdict is Match.MATCH:
        return f"Not certain: {nearest.release.title} ({'; '.join(nearest.reasons)}); choose it by hand if it is right."
    holds = nearest.first is not None and nearest.first <= hunt.wanted.episode <= (nearest.last or 0)
    if holds or "holds it" in nearest.reasons[-1]:
        return f"Nearest: {nearest.release.title} ({'; '.join(nearest.reasons)})."
    return _nearby(hunt) or "The index lists nothing of this show."


def _nearby(hunt: _Hunt) -> str:
    singles = {one.first for one in hunt.ranked if one.first is not None and one.first == one.last}
    numbers = sorted(singles, key=lambda number: (abs(number - hunt.wanted.episode), number))[:5]
    return f"There is episode {', '.join(map(str, sorted(numbers)))}." if numbers else ""


def _airs(anime: Anime) -> str:
    if anime.next_episode is None or anime.next_airs_at is None:
        return ""
    return f"Episode {anime.next_episode} airs {anime.next_airs_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC."


def _as_of(family: Family, now: datetime) -> Family:
    """An answer that was kept may say that an episode is yet to air whose time has come."""
    anime = family.anime
    if anime.next_episode is None or anime.next_airs_at is None or anime.next_airs_at > now:
        return family
    last = anime.episodes is not None and anime.next_episode >= anime.episodes
    aired = dataclasses.replace(anime, next_episode=None if last else anime.next_episode + 1, next_airs_at=None)
    return dataclasses.replace(family, anime=aired)


def _narrowed(taste: Taste, quality: int | None) -> Taste:
    if quality is None:
        return taste
    if quality not in HEIGHTS:
        raise Invalid(f"there is no quality {quality}; say 2160, 1080, 720 or 480", field="quality")
    return dataclasses.replace(taste, resolutions=(quality,))
