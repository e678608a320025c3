"""Tells people what came of what they, their rules and the autopilot asked for.

Nobody reports here: it is read off the tables, and a key for each thing keeps it from being told twice. So nothing is
lost when a daemon is killed, and it does no harm that several look. What is older than a day is no news.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from uuutorrent.accounts import UserId
from uuutorrent.anime.anilist import BadToken
from uuutorrent.anime.anime import Anime, MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.automation.feeds.errands import Errands
from uuutorrent.automation.feeds.rule import Outcome, Taking
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.errors import Missing, RemoteError
from uuutorrent.releases.contents import told
from uuutorrent.torrents.engine import EngineId
from uuutorrent.torrents.grab import Grab, GrabState
from uuutorrent.torrents.grabs import Grabs
from uuutorrent.torrents.holdings import Stored
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live

NEWS = timedelta(days=1)
LOOK = timedelta(seconds=10)
"""How often the tables are read, unless something was seen to be complete."""
TIDY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _News:
    """Something that somebody may not have been told yet."""

    user_id: UserId
    kind: Kind
    key: str
    name: str
    """What it is about, where nothing better is known than the name of a release."""
    before: str = ""
    after: str = ""
    """The sentence around that."""
    media_id: int | None = None
    episodes: tuple[int, ...] = ()
    infohash: str = ""


class Arrivals:
    """Looks for news."""

    def __init__(
        self,
        library: Library,
        live: Live,
        grabs: Grabs,
        errands: Errands,
        watchlists: Watchlists,
        inbox: Inbox,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._library = library
        self._live = live
        self._grabs = grabs
        self._errands = errands
        self._watchlists = watchlists
        self._inbox = inbox
        self._now = now
        self._seq: int | None = None
        self._whole: set[EngineId] = set()
        self._look_at: datetime | None = None
        self._tidy_at: datetime | None = None
        self._told: set[tuple[UserId, str]] = set()
        """Told, and still news: so that it is not asked of the database again and again."""

    async def run_once(self) -> None:
        """Tell what is new. Every few seconds: most turns look only at what is known of the engine anyway."""
        is_new, now = await self._see_what_is_whole(), self._now()
        if is_new or self._look_at is None or now >= self._look_at:
            self._look_at = now + LOOK
            if self._live.lookers and not is_new:
                # A part of a batch is here before the torrent is complete.
                await self._grabs.settle()
            await self.tell_all()
        if self._tidy_at is None or now >= self._tidy_at:
            self._tidy_at = now + TIDY
            await self._inbox.tidy()

    async def tell_all(self) -> None:
        """Tell everything of the last day that was not told yet."""
        since = self._now() - NEWS
        every = [
            *(news for stored in await self._library.got(since) for news in _finished(stored, since)),
            *(_grabbed(user_id, grab) for user_id, grab in await self._grabs.news(since)),
            *(_taken(user_id, which, one) for user_id, which, one in await self._errands.news(since)),
            *(_unlinked(user_id, at) for user_id, at in await self._watchlists.broken_links(since)),
        ]
        self._told &= {(news.user_id, news.key) for news in every}
        for news in every:
            if (news.user_id, news.key) not in self._told:
                await self._tell(news)
                self._told.add((news.user_id, news.key))

    async def _see_what_is_whole(self) -> bool:
        """Whether something is seen to be complete that was not before; then it is written down at once."""
        snapshot = self._live.snapshot
        if snapshot.seq == self._seq or not snapshot.engine_up:
            return False
        whole = {torrent.id for torrent in snapshot.torrents if torrent.is_complete}
        fresh, is_first = whole - self._whole, self._seq is None
        self._seq, self._whole = snapshot.seq, whole
        if not fresh or is_first:
            return False
        seen = [torrent for torrent in snapshot.torrents if torrent.id in fresh]
        await self._library.look_at({name for torrent in seen for name in (torrent.v1, torrent.v2) if name})
        await self._grabs.settle()
        return True

    async def _tell(self, news: _News) -> None:
        anime = None if news.media_id is None else await self._anime(MediaId(news.media_id))
        episode = news.episodes[0] if len(news.episodes) == 1 else None
        await self._inbox.tell(
            news.user_id, news.kind, _sentence(news, anime), key=news.key,
            media_id=news.media_id, episode=episode, infohash=news.infohash,
        )  # fmt: skip

    async def _anime(self, media_id: MediaId) -> Anime | None:
        if (known := self._watchlists.known(media_id)) is not None:
            return known
        with suppress(RemoteError, Missing):
            return await self._watchlists.anime(media_id)
        return None


def _finished(stored: Stored, since: datetime) -> Iterator[_News]:
    """For everybody who claims all of a torrent that is complete. Parts are told by their grabs."""
    for claim in stored.claims:
        there_at = max(claim.claimed_at, stored.completed_at or claim.claimed_at)
        if not claim.is_part and there_at > since:
            # Who gives it up and claims it again later is told again.
            key = f"finished:{stored.infohash}:{claim.claimed_at:%Y%m%dT%H%M%S%f}"
            yield _News(
                claim.user_id, Kind.FINISHED, key, stored.name,
                media_id=claim.media_id, episodes=claim.episodes, infohash=stored.infohash,
            )  # fmt: skip


def _grabbed(user_id: UserId, grab: Grab) -> _News:
    """What became of a grab that nobody looked at any more, or that was out of a batch."""
    is_here, infohash = grab.state is GrabState.COMPLETE, grab.infohash or ""
    return _News(
        user_id,
        Kind.FINISHED if is_here else Kind.FAILED,
        f"grab:{grab.id}",
        grab.title or f"Episode {grab.episode}",
        after="" if is_here else f" was not fetched. {grab.reason}",
        media_id=grab.media_id,
        episodes=(grab.episode,),
        infohash=infohash,
    )


def _taken(user_id: UserId, which: int, taking: Taking) -> _News:
    is_taken = taking.outcome is Outcome.TAKEN
    rule = "A feed rule" if taking.rule_id is None else f"Feed rule {taking.rule_id}"
    return _News(
        user_id,
        Kind.TAKEN if is_taken else Kind.FAILED,
        f"taking:{which}",
        taking.title,
        before=f"{rule} took " if is_taken else f"{rule} could not take ",
        after="." if is_taken else f": {taking.why}",
        infohash=taking.infohash,
    )


def _unlinked(user_id: UserId, at: datetime) -> _News:
    return _News(user_id, Kind.TROUBLE, f"link:{at:%Y-%m-%dT%H:%M:%S}", BadToken().message, after=".")


def _sentence(news: _News, anime: Anime | None) -> str:
    after = news.after
    if news.kind is Kind.FINISHED:
        after = " are here." if anime and len(news.episodes) > 1 else " is here."
    return f"{news.before}{_it(news, anime)}{after}"


def _it(news: _News, anime: Anime | None) -> str:
    if anime is None or not news.episodes:
        return news.name
    if anime.episodes == 1:
        return anime.title
    return f"Episode{'s' * (len(news.episodes) > 1)} {told(news.episodes)} of {anime.title}"
