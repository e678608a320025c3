"""Finding the release of an episode: few questions to the index, one verdict per post, and what is remembered of it."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from uuutorrent import config as settings
from uuutorrent.accounts import User
from uuutorrent.anime.anime import Family, MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.errors import Invalid
from uuutorrent.releases import contents, ranking, telling
from uuutorrent.releases.blocks import Blocks
from uuutorrent.releases.corrections import Corrections
from uuutorrent.releases.habits import Habits
from uuutorrent.releases.marks import HEIGHTS
from uuutorrent.releases.nyaa import PAGE, Nyaa
from uuutorrent.releases.questions import Questions
from uuutorrent.releases.release import Form, Found, Habit, Lore, Match, Offer, Ranked, Release, Taste, Wanted
from uuutorrent.releases.tastes import Tastes
from uuutorrent.store.database import Database

AIRING_TTL_S = 300.0
FINISHED_TTL_S = 1800.0


class Releases:
    """What can be had of an episode."""

    def __init__(
        self,
        database: Database,
        nyaa: Nyaa,
        watchlists: Watchlists,
        *,
        blocks: Blocks | None = None,
        accounts: settings.Accounts | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.tastes = Tastes(database, accounts)
        self.blocks = blocks or Blocks(database, now=now)
        self.corrections = Corrections(database, watchlists)
        self._habits = Habits(database)
        self._nyaa = nyaa
        self._watchlists = watchlists
        self._now = now

    async def find(
        self,
        user: User,
        media_id: MediaId,
        episode: int,
        *,
        quality: int | None = None,
        max_age_s: float | None = None,
    ) -> Found:
        """The candidates for an episode, best first, and the one to take, if any is certain enough.

        `quality` is the only resolution wanted (lines), in place of the user's taste. Nothing is taken for an episode
        that is not there or has not aired; `Found.said` tells what was looked for. What clear names show of how their
        groups number the show is remembered for the next time. No answer of the index older than `max_age_s` is used.

        Raises:
            Invalid: there is no such quality, or episodes do not begin at 1.
            Missing: AniList knows no such anime.
            RemoteError: AniList or the index let us down.
        """
        if episode < 1:
            raise Invalid("episodes are counted from 1", field="episode")
        taste = _narrowed(await self.tastes.of(user, media_id), quality)
        now, wanted = self._now(), await self._wanted(user, media_id, episode)
        hunt, episodes = _Hunt(wanted, taste, await self.blocks.active(user), max_age_s), wanted.family.anime.episodes
        if episodes is None or episode <= episodes:
            await self._ask(hunt)
            await self._habits.learn(media_id, hunt.new_habits())
        seen = await self._watchlists.seen(user, media_id)
        return hunt.found(seen, await self.corrections.offers(user, media_id), now)

    async def best_of(self, user: User, media_id: MediaId, posts: Sequence[Release]) -> Mapping[int, Ranked]:
        """Of posts from elsewhere, the one to take for each episode, where it is certain enough; nobody is asked.

        Raises:
            Missing: AniList knows no such anime.
            RemoteError: AniList let us down.
        """
        taste, wanted = await self.tastes.of(user, media_id), await self._wanted(user, media_id, 1)
        return await asyncio.to_thread(_best_of, wanted, taste, posts, await self.blocks.active(user))

    async def foresee(self, user: User, media_id: MediaId, episodes: Collection[int]) -> Mapping[int, Ranked]:
        """What would be taken for each of these episodes, as far as one question to the index tells.

        Raises:
            Missing: AniList knows no such anime.
            RemoteError: AniList or the index let us down.
        """
        taste, wanted = await self.tastes.of(user, media_id), await self._wanted(user, media_id, min(episodes))
        hunt = _Hunt(wanted, taste, await self.blocks.active(user))
        await self._one(hunt, _questions(wanted).titles)
        return await asyncio.to_thread(_foreseen, hunt, episodes)

    async def told_apart(
        self, user: User, media_id: MediaId, name: str, files: Mapping[int, str]
    ) -> Mapping[int, tuple[int, ...]]:
        """Which files of a torrent are which episode of a show, by episode, where that is sure.

        `files` are paths by place in the torrent. A known show is not asked for.

        Raises:
            Missing: AniList knows no such anime.
            RemoteError: the show is not known, and AniList let us down.
        """
        wanted, places = await self._wanted(user, media_id, 1, fresh=False), tuple(files)
        named = [(path, 1) for path in files.values()]
        found = await asyncio.to_thread(contents.pick, named, wanted, title=name)
        return {episode: tuple(places[at] for at in picked) for episode, picked in found.items()}

    async def newest(self, *, ttl_s: float) -> tuple[Release, ...]:
        """The newest posts on the index, whatever they are; an answer is reused for `ttl_s`.

        Raises:
            RemoteError: the index let us down.
        """
        return await self._nyaa.search("", ttl_s=ttl_s)

    async def of_show(self, media_id: MediaId, posts: Sequence[Release]) -> tuple[Release, ...]:
        """Those of the posts that may be single episodes of a show, for anybody's taste; a known show is not asked for.

        Raises:
            Missing: AniList knows no such anime.
            RemoteError: the show is not known, and AniList let us down.
        """
        family = _as_of(await self._watchlists.family(media_id, fresh=False), self._now())
        wanted = Wanted(family, 1, Lore((), await self._habits.of(media_id)))
        return await asyncio.to_thread(_of_show, wanted, posts)

    async def judged(self, user: User, media_id: MediaId, episode: int, posts: Sequence[Release]) -> tuple[Ranked, ...]:
        """The verdicts on a few posts from elsewhere for one episode, best first; a known show is not asked for.

        Raises:
            Missing: AniList knows no such anime.
            RemoteError: the show is not known, and AniList let us down.
        """
        wanted = await self._wanted(user, media_id, episode, fresh=False)
        taste, blocked = await self.tastes.of(user, media_id), await self.blocks.active(user)
        return await asyncio.to_thread(ranking.rank, wanted, taste, posts, blocked)

    async def torrent_file(self, release: Release) -> bytes:
        """The .torrent file of a release, from the index itself.

        Raises:
            Missing: there is only a magnet.
            RemoteError: the index let us down, or the link leads elsewhere.
        """
        return await self._nyaa.torrent_file(release)

    async def _wanted(self, user: User, media_id: MediaId, episode: int, *, fresh: bool = True) -> Wanted:
        family = _as_of(await self._watchlists.family(media_id, fresh=fresh), self._now())
        return Wanted(
            family, episode, Lore(await self.corrections.lore_of(user, media_id), await self._habits.of(media_id))
        )

    async def _ask(self, hunt: _Hunt) -> None:
        """One question in the usual case; more only while the episode is missing and another can still find it."""
        questions = _questions(hunt.wanted)
        was_full = await self._one(hunt, questions.titles)
        if was_full and not hunt.is_over:
            await self._one(hunt, questions.numbered)
        # An answer that was full of the show says that its posts are found under these titles: no need to look wider.
        if hunt.is_settled or (was_full and hunt.knows_the_show):
            return
        is_full = (was_full and questions.loose_numbered) or await self._one(hunt, questions.loose)
        if is_full and not hunt.is_settled:
            await self._one(hunt, questions.loose_numbered)

    async def _one(self, hunt: _Hunt, query: str) -> bool:
        """Ask and rank, if there is anything to ask; True when the answer was full."""
        if not query:
            return False
        started = time.perf_counter()
        finished = hunt.wanted.family.anime.status == "FINISHED"
        ttl_s = min(
            FINISHED_TTL_S if finished else AIRING_TTL_S, math.inf if hunt.max_age_s is None else hunt.max_age_s
        )
        answer = await self._nyaa.search(query, ttl_s=ttl_s)
        hunt.take(query, answer, (time.perf_counter() - started) * 1000)
        started = time.perf_counter()
        # A full answer takes tens of milliseconds, in which no screen may wait.
        posts = tuple(hunt.releases.values())
        hunt.ranked = await asyncio.to_thread(ranking.rank, hunt.wanted, hunt.taste, posts, hunt.blocked)
        hunt.rank_ms += (time.perf_counter() - started) * 1000
        return len(answer) >= PAGE


@dataclass(slots=True)
class _Hunt:
    """One search on its way."""

    wanted: Wanted
    taste: Taste
    blocked: Mapping[str, str]
    max_age_s: float | None = None
    releases: dict[str, Release] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    ranked: tuple[Ranked, ...] = ()
    search_ms: float = 0.0
    rank_ms: float = 0.0

    def take(self, query: str, answer: Sequence[Release], took_ms: float) -> None:
        self.asked.append(query)
        self.releases |= {release.infohash: release for release in answer}
        self.search_ms += took_ms

    @property
    def is_settled(self) -> bool:
        """Nothing more needs asking: it was found, or cannot be there yet."""
        return ranking.best(self.ranked) is not None or self._is_to_come

    @property
    def is_over(self) -> bool:
        """As `is_settled`; but where only a batch has it, there may be singles that a full answer had no room for."""
        best = ranking.best(self.ranked)
        return self._is_to_come or (best is not None and not best.is_batch)

    @property
    def _is_to_come(self) -> bool:
        aired = self.wanted.family.anime.aired
        return aired is not None and self.wanted.episode > aired

    @property
    def knows_the_show(self) -> bool:
        """Some episode of this show was seen."""
        return any(one.first is not None for one in self.ranked)

    def new_habits(self) -> tuple[Habit, ...]:
        """What clear names show and is not known yet. Of a group that counts now so, now otherwise, nothing."""
        if not self.wanted.family.prequels and not self.wanted.lore.habits:
            return ()  # a single season can be numbered in one way only
        known = {habit.group.lower(): habit.offset for habit in self.wanted.lore.habits}
        shown: dict[str, dict[int, str]] = defaultdict(dict)
        for one in sorted(self.ranked, key=_posted):
            if one.offset is not None and self._shows_a_habit(one):
                shown[one.name.group.lower()][one.offset] = one.release.title
        agreed = [(group, *offsets.popitem()) for group, offsets in shown.items() if len(offsets) == 1]
        return tuple(Habit(group, offset, title) for group, offset, title in agreed if known.get(group) != offset)

    def _shows_a_habit(self, one: Ranked) -> bool:
        """Whether it is clear how its group counts. Other episodes tell it as well; what was rejected does not."""
        aired, episode = self.wanted.family.anime.aired, self.wanted.episode
        if not one.is_clear or one.is_corrected or one.release.remake or not one.name.group:
            return False
        if one.first is None or one.first != one.last:
            return False
        return one.verdict is Match.MATCH if one.first == episode else aired is None or one.first <= aired

    def found(self, seen: int | None, offers: tuple[Offer, ...], now: datetime) -> Found:
        best = ranking.best(self.ranked)
        posts = len(self.releases)
        return Found(
            wanted=self.wanted,
            best=best,
            candidates=self.ranked,
            batch=ranking.batch_worth_offering(self.ranked, self.wanted, seen),
            wait_until=_wait_until(best, self.ranked, self.taste, now),
            offers=offers,
            asked=tuple(self.asked),
            said=telling.chosen(best) if best else telling.not_found(self.wanted, self.ranked, self.asked, posts),
            search_ms=self.search_ms,
            rank_ms=self.rank_ms,
        )


def _best_of(
    wanted: Wanted, taste: Taste, posts: Sequence[Release], blocked: Mapping[str, str]
) -> Mapping[int, Ranked]:
    placed = ranking.rank(wanted, taste, posts, blocked)
    held = sorted({one.first for one in placed if one.first is not None and one.first == one.last})
    found = {
        episode: ranking.best(ranking.rank(dataclasses.replace(wanted, episode=episode), taste, posts, blocked))
        for episode in held
    }
    return {episode: best for episode, best in found.items() if best is not None and not best.is_batch}


def _posted(one: Ranked) -> datetime:
    return one.release.posted_at or datetime.min.replace(tzinfo=UTC)


def _wait_until(best: Ranked | None, ranked: Sequence[Ranked], taste: Taste, now: datetime) -> datetime | None:
    """Until when a group that is preferred to the best one's may still come; None when it is there already."""
    matches = [one for one in ranked if one.verdict is Match.MATCH and not one.is_batch]
    if best is None or best not in matches or not taste.wait_min:
        return None
    groups, own = [group.lower() for group in taste.groups], best.name.group.lower()
    preferred = set(groups[: groups.index(own)] if own in groups else groups)
    posted = [one.release.posted_at for one in matches if one.release.posted_at]
    if not posted or not preferred or any(one.name.group.lower() in preferred for one in matches):
        return None
    until = min(posted) + timedelta(minutes=taste.wait_min)
    return until if until > now else None


def _as_of(family: Family, now: datetime) -> Family:
    return dataclasses.replace(family, anime=family.anime.as_of(now))


def _questions(wanted: Wanted) -> Questions:
    told = tuple(one.title for one in wanted.lore.corrections if one.form is Form.TITLE)
    return Questions(wanted.family, wanted.episode, told)


def _foreseen(hunt: _Hunt, episodes: Collection[int]) -> Mapping[int, Ranked]:
    posts = tuple(hunt.releases.values())
    found = {
        episode: ranking.best(
            ranking.rank(dataclasses.replace(hunt.wanted, episode=episode), hunt.taste, posts, hunt.blocked)
        )
        for episode in episodes
    }
    return {episode: best for episode, best in found.items() if best is not None}


def _of_show(wanted: Wanted, posts: Sequence[Release]) -> tuple[Release, ...]:
    return tuple(one.release for one in ranking.rank(wanted, Taste(), posts) if one.first is not None)


def _narrowed(taste: Taste, quality: int | None) -> Taste:
    if quality is None:
        return taste
    if quality not in HEIGHTS:
        raise Invalid(f"there is no quality {quality}; say 2160, 1080, 720 or 480", field="quality")
    return dataclasses.replace(taste, resolutions=(quality,))
