"""What people do with their files: a video that was read to its end may have been watched.

It is written down first; whether to ask, or to set the progress on AniList, is decided a few minutes after the last
file of the show, so that who copies a season is asked once. While AniList is away it waits.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, delete, func, select, update

from uuutorrent.accounts import User, UserId, hold, people
from uuutorrent.anime.anime import Anime, MediaId, WatchEntry, WatchStatus
from uuutorrent.anime.watchlist import FinishesShow, Watchlists
from uuutorrent.automation.inbox.coverage import Coverage
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.automation.inbox.notice import Notice
from uuutorrent.automation.preferences import PreferenceBook, Watched
from uuutorrent.errors import Invalid, Missing, Refused, RemoteError
from uuutorrent.releases.contents import VIDEO, told
from uuutorrent.releases.naming import Naming
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.tables import ServedRow
from uuutorrent.torrents.holdings import Piece
from uuutorrent.torrents.library import Library

log = structlog.get_logger()

QUIET_S = 180.0
"""Between the last file of a show and the question."""
EPISODE_MIN = 24
"""How long an episode lasts where AniList does not say."""
HALF_READ = timedelta(days=1)
"""How long it is remembered which parts of a file were read, for who goes on later."""
MOST_HALF_READ = 1000
LEASE = timedelta(minutes=2)
"""Longer than AniList may take to answer."""
LATER = timedelta(minutes=10)
"""How soon AniList is asked again that was away."""
GIVE_UP = timedelta(days=7)
MOOT_EVERY = timedelta(minutes=5)
KEPT = timedelta(days=400)
YES, NO = "yes", "no"
_WATCHING = (WatchStatus.CURRENT, WatchStatus.REPEATING, WatchStatus.PLANNING)


@dataclass(frozen=True, slots=True)
class Served:
    """A video that a user read to its end."""

    infohash: str
    path: str
    media_id: int | None
    episode: int | None
    at: datetime


@dataclass(slots=True)
class _Half:
    """A file that somebody has read parts of."""

    coverage: Coverage
    at: datetime


class Uses:
    """The owner of the table `served`."""

    def __init__(
        self,
        database: Database,
        library: Library,
        watchlists: Watchlists,
        naming: Naming,
        preferences: PreferenceBook,
        inbox: Inbox,
        *,
        quiet_s: float = QUIET_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._library = library
        self._watchlists = watchlists
        self._naming = naming
        self._preferences = preferences
        self._inbox = inbox
        self._quiet = timedelta(seconds=quiet_s)
        self._now = now
        self._half: dict[tuple[UserId, str], _Half] = {}
        self._ended: dict[tuple[UserId, str], tuple[User, int]] = {}
        self._moot_at: datetime | None = None

    # For the door of the files

    def closed(self, user: User, place: str, coverage: Coverage) -> None:
        """A user has closed the file at this place; `coverage` says what they read of it. Costs nothing to speak of.

        What was read over several handles within a day counts together: of a transfer that broke and went on, or that
        reads with several connections at once.
        """
        if not coverage.bytes or place.rpartition(".")[2].lower() not in VIDEO:
            return
        key, now = (user.id, place), self._now()
        before = self._half.pop(key, None)
        if before and before.at > now - HALF_READ and before.coverage.size_bytes == coverage.size_bytes:
            coverage.add(before.coverage)
        if coverage.is_to_the_end:
            self._ended[key] = user, coverage.size_bytes
            return
        self._half[key] = _Half(coverage, now)
        while len(self._half) > MOST_HALF_READ:
            del self._half[next(iter(self._half))]

    async def read_to_end(self, user: User, place: str, size_bytes: int) -> None:
        """Remember that a user read a video of theirs to its end."""
        piece = await self._library.piece(user, place)
        if piece is None:
            return
        media_id, episode = await self._what(user, piece, size_bytes)
        now = self._now()
        asks = episode is not None and (await self._preferences.of(user)).watched is not Watched.OFF
        try_at = now + self._quiet if asks else None
        async with self._database.begin(user.id) as tx:
            try:
                await hold(tx, user)
            except Refused:
                return
            row = ServedRow(user_id=user.id, infohash=piece.infohash, path=piece.path, media_id=media_id)
            row.episode, row.at, row.try_at = episode, now, try_at
            await tx.merge(row)
            if asks:
                await tx.execute(update(ServedRow).where(*_of(user.id, media_id), _open()).values(try_at=try_at))

    # For who clears up

    async def served(self, user: User) -> tuple[Served, ...]:
        """What this user read to its end, the newest first."""
        rows = select(ServedRow).where(ServedRow.user_id == user.id).order_by(ServedRow.at.desc())
        async with self._database.begin(user.id) as tx:
            return tuple(
                Served(row.infohash, row.path, row.media_id, row.episode, row.at) for row in await tx.scalars(rows)
            )

    # The question

    async def run_once(self) -> None:
        """Write down what was read since the last turn, and ask or set what its time has come for."""
        while self._ended:
            key = next(iter(self._ended))
            user, size_bytes = self._ended[key]
            await self.read_to_end(user, key[1], size_bytes)
            self._ended.pop(key, None)
        for user, media_id in await self._due():
            await self._see_to(user, media_id)
        if self._moot_at is None or self._now() >= self._moot_at:
            self._moot_at = self._now() + MOOT_EVERY
            await self._take_back_moot()
            await self._tidy()

    async def decide(self, user: User, media_id: int, episode: int, choice: str) -> str:
        """Do what the user answered: "yes" makes `episode` their progress, unless they are further; "no" nothing.

        Raises:
            Invalid: that is no answer.
            Missing: the show is not on their list any more.
            RemoteError, BadToken: AniList did not take it; nothing was changed.
        """
        if choice not in (YES, NO):
            raise Invalid("Say yes or no.", field="choice")
        if choice == NO:
            return "Your progress stays as it is."
        entry = await self._watchlists.entry(user, MediaId(media_id))
        if entry is None:
            raise Missing("this show is not on your list any more")
        if entry.progress >= episode:
            return f"{entry.anime.title}: you are at episode {entry.progress} already."
        after = await self._watchlists.set_progress(user, MediaId(media_id), episode, complete=True)
        done = " and completed" if after.status is WatchStatus.COMPLETED else ""
        return f"{entry.anime.title}: episode {after.progress} is marked as watched{done}."

    async def answered(self, user: User, notice: Notice, choice: str) -> str:
        """The same for the notice that asked."""
        if notice.media_id is None or notice.episode is None:
            raise Missing("it does not say which episode that is")
        return await self.decide(user, notice.media_id, notice.episode, choice)

    async def _take_back_moot(self) -> None:
        """Ask no more about what its reader marked as watched by other means; AniList is not asked for that."""
        asked = await self._inbox.waiting(None, prefix="watched:")
        async with self._database.begin(SYSTEM) as tx:
            known = await people(tx, {notice.user_id for notice in asked}) if asked else {}
        for notice in asked:
            user, episode = known.get(notice.user_id), notice.episode
            if user is None or notice.media_id is None or episode is None:
                continue
            seen = await self._watchlists.seen(user, MediaId(notice.media_id))
            if seen is not None and seen >= episode:
                await self._inbox.withdraw(user.id, notice.key, f"You are at episode {seen}.")

    async def _tidy(self) -> None:
        """Forget what was read long ago."""
        async with self._database.begin(SYSTEM) as tx:
            await tx.execute(delete(ServedRow).where(ServedRow.at < self._now() - KEPT))

    async def _what(self, user: User, piece: Piece, size_bytes: int) -> tuple[int | None, int | None]:
        """The show and the episode that a file is; of several episodes in one file the last."""
        if piece.episodes:
            return piece.media_id, max(piece.episodes)
        try:
            found = await self._naming.tell(user, piece.path.rpartition("/")[2], size_bytes)
        except (RemoteError, Refused, Missing):
            found = None
        return found or (piece.media_id, None)

    async def _due(self) -> Sequence[tuple[User, int]]:
        due = select(ServedRow.user_id, ServedRow.media_id).where(ServedRow.try_at <= self._now()).distinct()
        async with self._database.begin(SYSTEM) as tx:
            found = [(UserId(user_id), media_id) for user_id, media_id in await tx.execute(due) if media_id is not None]
            known = await people(tx, {user_id for user_id, _ in found}) if found else {}
        return [(known[user_id], media_id) for user_id, media_id in found if user_id in known]

    async def _see_to(self, user: User, media_id: int) -> None:
        """Ask or set what a user read of a show, having it to oneself; later if AniList does not answer."""
        now = self._now()
        mine = update(ServedRow).where(*_of(user.id, media_id), ServedRow.try_at <= now).values(try_at=now + LEASE)
        async with self._database.begin(user.id) as tx:
            episodes = (await tx.scalars(mine.returning(ServedRow.episode))).all()
        if not episodes:
            return
        try_at: datetime | None = None
        try:
            await self._offer(user, MediaId(media_id), {one for one in episodes if one is not None})
        except (RemoteError, Refused) as e:
            log.info("watched: later", user=user.name, media_id=media_id, why=e.message)
            try_at = now + LATER
        except (Invalid, Missing) as e:
            log.info("watched: given up", user=user.name, media_id=media_id, why=e.message)
        taken = (*_of(user.id, media_id), ServedRow.try_at == now + LEASE)
        async with self._database.begin(user.id) as tx:
            await tx.execute(update(ServedRow).where(*taken).values(try_at=try_at))
            given_up = (*taken[:2], ServedRow.try_at.is_not(None), ServedRow.at < now - GIVE_UP)
            await tx.execute(update(ServedRow).where(*given_up).values(try_at=None))

    async def _offer(self, user: User, media_id: MediaId, episodes: Collection[int]) -> None:
        wish = (await self._preferences.of(user)).watched
        entry = await self._watchlists.entry(user, media_id)
        if wish is Watched.OFF or entry is None:
            return
        # Who says that a file is episode 13 of a show of 12 is asked nothing: it cannot be set.
        fresh = sorted(n for n in episodes if entry.progress < n <= (entry.anime.episodes or n))
        if not fresh:
            return
        is_next = fresh == [entry.progress + 1] and entry.status in _WATCHING
        if wish is Watched.SET and is_next and not await self._is_copying(user, entry.anime):
            try:
                await self._watchlists.set_progress(user, media_id, fresh[0])
            except FinishesShow:
                pass
            else:
                await self._say_set(user, entry.anime, fresh[0])
                return
        await self._ask(user, entry, fresh)

    async def _is_copying(self, user: User, anime: Anime) -> bool:
        """Whether this user read more of a show than can be watched in that time."""
        lasts = timedelta(minutes=anime.duration_min or EPISODE_MIN)
        of_it = _of(user.id, anime.media_id)
        newest = select(func.max(ServedRow.at)).where(*of_it)
        async with self._database.begin(user.id) as tx:
            last = await tx.scalar(newest)
            if last is None:
                return False
            lately = select(func.count(ServedRow.episode.distinct())).where(*of_it, ServedRow.at > last - lasts)
            return (await tx.scalar(lately) or 0) > 1

    async def _say_set(self, user: User, anime: Anime, episode: int) -> None:
        text = f"Episode {episode} of {anime.title} is marked as watched."
        key = f"progress:{anime.media_id}:{episode}"
        await self._inbox.tell(user.id, Kind.WATCHED, text, key=key, media_id=anime.media_id, episode=episode)

    async def _ask(self, user: User, entry: WatchEntry, fresh: Sequence[int]) -> None:
        """One question for all that was read of a show; it takes the place of a smaller one."""
        anime, last = entry.anime, fresh[-1]
        prefix = f"watched:{anime.media_id}:"
        before = await self._inbox.waiting(user.id, prefix=prefix)
        if any((notice.episode or 0) >= last for notice in before):
            return
        which = select(ServedRow.episode).where(*_of(user.id, anime.media_id), ServedRow.episode > entry.progress)
        async with self._database.begin(user.id) as tx:
            read = [one for one in await tx.scalars(which.distinct()) if one is not None and one <= last]
        is_asked = await self._inbox.tell(
            user.id, Kind.WATCHED, _question(entry, sorted(read)), key=f"{prefix}{last}",
            media_id=anime.media_id, episode=last, choices=(YES, NO),
        )  # fmt: skip
        # Where they said no to this one before, the smaller question stays.
        for notice in before if is_asked else ():
            await self._inbox.withdraw(user.id, notice.key, "You read more of it since.")


def _question(entry: WatchEntry, read: Sequence[int]) -> str:
    anime, last = entry.anime, read[-1]
    if anime.episodes == 1:
        return f"Watched {anime.title}? Yes marks it as completed."
    asked = f"Watched episode{'s' * (len(read) > 1)} {told(read)} of {anime.title}?"
    if last == anime.episodes:
        return f"{asked} It is the last: yes marks the show as completed."
    if list(read) != list(range(entry.progress + 1, last + 1)):
        return f"{asked} Yes marks all up to {last}; you are at {entry.progress}."
    return asked


def _of(user_id: int, media_id: int | None) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return ServedRow.user_id == user_id, ServedRow.media_id == media_id


def _open() -> ColumnElement[bool]:
    return ServedRow.try_at.is_not(None)
