"""The autopilot's look at one person's list: what to be after, what nobody needs any more, what to ask about."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from uuutorrent.accounts import User, hold
from uuutorrent.anime.anime import Anime, MediaId, WatchEntry, WatchStatus
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.automation.autopilot import flightplan
from uuutorrent.automation.autopilot.pursuit import Choice, Pursuit, Show, State, backlog_key, spoken
from uuutorrent.automation.autopilot.pursuits import Pursuits
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.automation.preferences import Mode, PreferenceBook
from uuutorrent.errors import Unreachable, UuuError
from uuutorrent.remote import Clock
from uuutorrent.store.database import Database
from uuutorrent.torrents.library import Library

log = structlog.get_logger()

LOOK_EVERY_S = 3600.0
"""A list that nothing is due on is looked at so often."""
FOLLOWED = (WatchStatus.CURRENT, WatchStatus.REPEATING)


@dataclass(frozen=True, slots=True)
class Look:
    """A person's list as it is now, what is settled about its shows, and what they have."""

    user: User
    default: Mode
    entries: Mapping[MediaId, WatchEntry]
    shows: Mapping[MediaId, Show]
    held: Mapping[MediaId, frozenset[int]]

    def show(self, media_id: MediaId) -> Show:
        """What is settled about a show."""
        return self.shows.get(media_id, Show())

    def mode(self, media_id: MediaId) -> Mode:
        """What the autopilot does for a show."""
        entry = self.entries.get(media_id)
        return Mode.OFF if entry is None else flightplan.mode_for(entry, self.default, self.show(media_id).mode)

    def have(self, media_id: MediaId) -> frozenset[int]:
        """The episodes of a show that this person has, or is getting."""
        return self.held.get(media_id, frozenset())

    def moot(self, pursuit: Pursuit) -> str:
        """Why nobody needs to be after an episode any more; empty while somebody does."""
        entry = self.entries.get(pursuit.media_id)
        return flightplan.moot(pursuit, entry, self.mode(pursuit.media_id), self.have(pursuit.media_id))


class Looking:
    """Looks at lists, as rarely as will do, and writes down what follows from them."""

    def __init__(
        self,
        database: Database,
        watchlists: Watchlists,
        library: Library,
        preferences: PreferenceBook,
        pursuits: Pursuits,
        inbox: Inbox,
        *,
        now: Callable[[], datetime],
        clock: Clock = time.monotonic,
    ) -> None:
        self._database = database
        self._watchlists = watchlists
        self._library = library
        self._preferences = preferences
        self._pursuits = pursuits
        self._inbox = inbox
        self._now = now
        self._clock = clock
        self._looked_at: dict[int, float] = {}
        self._anime: dict[MediaId, Anime] = {}

    def is_due(self, user: User) -> bool:
        """Whether this person's list was not looked at for long."""
        return self._clock() - self._looked_at.get(user.id, float("-inf")) >= LOOK_EVERY_S

    def title(self, media_id: MediaId) -> str:
        """What a show is called, as far as it was seen."""
        anime = self._anime.get(media_id)
        return anime.title if anime is not None else f"anime {media_id}"

    async def titles(self, ids: Collection[MediaId]) -> Mapping[MediaId, str]:
        """The same for several; those that were not seen since the start are asked for, if that can be."""
        if unknown := [media_id for media_id in ids if media_id not in self._anime]:
            with suppress(UuuError):
                self._anime |= await self._watchlists.shows(unknown)
        return {media_id: self.title(media_id) for media_id in ids}

    async def fresh(self, user: User) -> Look:
        """The list as it is now (an answer younger than a minute counts), and what the person has.

        Raises:
            RemoteError: it cannot be had just now, or only an old one.
            Refused: AniList does not accept the person's sign-in any more.
        """
        listed = await self._watchlists.list(user, FOLLOWED, ahead=False)
        if listed.stale:
            raise Unreachable("AniList", listed.stale)
        entries = {entry.anime.media_id: entry for entry in listed.entries}
        self._anime |= {media_id: entry.anime for media_id, entry in entries.items()}
        held: dict[MediaId, frozenset[int]] = {}
        for one in await self._library.holdings(user):
            if one.media_id is not None:
                media_id = MediaId(one.media_id)
                held[media_id] = held.get(media_id, frozenset()) | frozenset(one.episodes)
        default = (await self._preferences.of(user)).autopilot
        return Look(user, default, entries, await self._pursuits.shows(user), held)

    async def look(self, user: User) -> Look | None:
        """Look at a list and write down what follows; None when it cannot be had just now."""
        try:
            look = await self.fresh(user)
            self._looked_at[user.id] = self._clock()
            await self._settle(look)
            known = await self._pursuits.known(user)
            for media_id, entry in look.entries.items():
                if look.mode(media_id) is not Mode.OFF:
                    await self._follow(look, entry, known.get(media_id, {}))
        except UuuError as e:
            # One person's trouble with AniList is not the others'; the list is looked at again at the next turn.
            log.info("autopilot: a list cannot be had", user=user.name, why=e.message)
            return None
        return look

    async def _follow(self, look: Look, entry: WatchEntry, known: Mapping[int, Pursuit]) -> None:
        """Write down what there is to do about a show."""
        media_id = entry.anime.media_id
        show = look.show(media_id)
        steps = flightplan.steps(entry, show, known, look.have(media_id), self._now())
        for pursuit, at in steps.move:
            await self._pursuits.move(pursuit, State.WANTED, at=at, try_at=at + flightplan.LOOKS[0], why="")
        if not steps.begin and steps.first_episode == show.first_episode:
            return
        async with self._database.begin(look.user.id) as tx:
            await hold(tx, look.user)
            await self._pursuits.see(tx, look.user, media_id, steps.first_episode)
            await self._pursuits.begin_all(tx, look.user, media_id, steps.begin)
            if steps.backlog and steps.first_episode is not None:
                key, text = backlog_key(media_id, steps.first_episode), _question(entry, show, steps.backlog)
                user_id, choices = look.user.id, tuple(Choice)
                await self._inbox.tell(user_id, Kind.CHOICE, text, key=key, media_id=media_id, choices=choices, tx=tx)

    async def _settle(self, look: Look) -> None:
        """End what nobody needs to be after any more, and take back what was asked about it."""
        for pursuit in await self._pursuits.open_of(look.user):
            if why := look.moot(pursuit):
                await self.drop(pursuit, why)
        asked = await self._inbox.waiting(look.user.id, prefix="pursuit:")
        asked += await self._inbox.waiting(look.user.id, prefix="backlog:")
        # Read after the questions: what is offered just now, by somebody else, is not taken back.
        known = await self._pursuits.known(look.user)
        offered = {one.key for its in known.values() for one in its.values() if one.state is State.OFFERED}
        for notice in asked:
            media_id = MediaId(notice.media_id or 0)
            is_asked = bool(self.backlog(look, media_id, known.get(media_id, {}))) and notice.key.startswith("backlog:")
            if notice.key not in offered and not is_asked:
                await self._inbox.withdraw(look.user.id, notice.key, "")

    async def drop(self, pursuit: Pursuit, why: str) -> None:
        """Nobody needs to be after an episode, and the question about it is taken back.

        What is only put aside is forgotten, so that it is begun anew when its show is followed again.
        """
        is_aside = why in flightplan.ASIDE and not pursuit.replaces
        async with self._database.begin(pursuit.user_id) as tx:
            if is_aside:
                is_over = await self._pursuits.forget(tx, pursuit)
            else:
                is_over = await self._pursuits.move(pursuit, State.MOOT, tx=tx, why=why, at=self._now())
            if is_over:
                await self._inbox.withdraw(pursuit.user_id, pursuit.key, why, tx)

    def backlog(self, look: Look, media_id: MediaId, known: Mapping[int, Pursuit]) -> tuple[int, ...]:
        """The aired episodes of a show that are taken only if they are asked for."""
        entry = look.entries.get(media_id)
        if entry is None or look.mode(media_id) is Mode.OFF:
            return ()
        first = look.show(media_id).first_episode
        missing = flightplan.unwatched(entry, look.have(media_id), self._now())
        return tuple(one for one in missing if one not in known and (first is None or one < first))


def _question(entry: WatchEntry, show: Show, episodes: tuple[int, ...]) -> str:
    many = len(episodes) > flightplan.MOST_OF_SHOW
    which = f"the next {flightplan.MOST_OF_SHOW}" if many else "it" if len(episodes) == 1 else "them"
    told = spoken(episodes)
    begun = f"{entry.anime.title}: {told} aired before the autopilot saw this show."
    if show.first_episode is not None:
        begun = f"{entry.anime.title}: {told} have aired, more at once than is taken unasked."
    return f"{begun} Take {which}, as far as your quota goes?"
