"""Rules that are bound to an anime: which items are new episodes of it, and which of several is the one to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.automation.feeds.item import Item
from uuutorrent.automation.feeds.rule import Rule
from uuutorrent.releases.release import Ranked, Release
from uuutorrent.releases.search import Releases
from uuutorrent.torrents.library import Library


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether a rule wants an item that fits it, and as which episode."""

    is_wanted: bool
    episode: int | None = None
    why: str = ""


class Binding:
    """Judges items as releases, with the person's taste, corrections and progress."""

    def __init__(self, releases: Releases, watchlists: Watchlists, library: Library) -> None:
        self._releases = releases
        self._watchlists = watchlists
        self._library = library

    async def judge(self, user: User, rule: Rule, items: Sequence[Item]) -> Mapping[str, Judged]:
        """A judgement for each item, by its key; a rule that is bound to nothing wants every one.

        Raises:
            RemoteError, Missing: AniList does not tell what the episodes are.
        """
        media_id = rule.saving.media_id
        if media_id is None or not items:
            return {item.key: Judged(is_wanted=True) for item in items}
        posts = {item.key: _release(item) for item in items}
        best = await self._releases.best_of(user, MediaId(media_id), tuple(posts.values()))
        entry = await self._watchlists.entry(user, MediaId(media_id))
        seen = entry.progress if entry is not None else 0
        have = {
            episode
            for one in await self._library.holdings(user)
            if one.media_id == media_id
            for episode in one.episodes
        }
        return {key: _judged(post, best, seen, have) for key, post in posts.items()}


def _judged(post: Release, best: Mapping[int, Ranked], seen: int, have: set[int]) -> Judged:
    episode = next((number for number, one in best.items() if one.release is post), None)
    if episode is None:
        return Judged(is_wanted=False, why="not certainly an episode of the show, or another post of it is better")
    if episode <= seen:
        return Judged(is_wanted=False, episode=episode, why=f"episode {episode}, which you have seen")
    if episode in have:
        return Judged(is_wanted=False, episode=episode, why=f"episode {episode}, which you have")
    return Judged(is_wanted=True, episode=episode, why=f"episode {episode}")


def _release(item: Item) -> Release:
    return Release(
        title=item.title,
        infohash=item.infohash or item.key,
        link=item.link,
        page="",
        size_bytes=item.size_bytes or 0,
        # A feed that does not tell must not be taken for one that says nobody is there.
        seeders=1 if item.seeders is None else item.seeders,
        leechers=0,
        downloads=0,
        category=item.category,
        trusted=False,
        remake=False,
        posted_at=item.posted_at,
    )
