"""The autopilot: new episodes of what people watch are fetched, or offered, once they have aired.

What it is after is written down as pursuits before anything is done, so every turn is safe to take twice, on two
daemons, and to be killed at any point. It asks little: one look at each list an hour, one page of the index's newest
posts for everybody, and a search only for what is there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

import structlog

from uuutorrent.accounts import User, UserId, hold
from uuutorrent.anime.anime import MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.automation.autopilot import flightplan, upgrades
from uuutorrent.automation.autopilot.flightplan import Begin
from uuutorrent.automation.autopilot.looking import Look, Looking
from uuutorrent.automation.autopilot.lookout import Lookout
from uuutorrent.automation.autopilot.planning import Planner, within
from uuutorrent.automation.autopilot.pursuit import Choice, Confirmed, NotConfirmed, Plan, Pursuit, State, spoken
from uuutorrent.automation.autopilot.pursuits import Pursuits
from uuutorrent.automation.autopilot.taking import Taking
from uuutorrent.automation.autopilot.upgrades import Upgrades
from uuutorrent.automation.health.replacing import Replacing
from uuutorrent.automation.health.timeline import Timeline
from uuutorrent.automation.inbox.inbox import Inbox
from uuutorrent.automation.inbox.notice import Notice
from uuutorrent.automation.inbox.uses import Uses
from uuutorrent.automation.preferences import Mode, PreferenceBook
from uuutorrent.errors import Conflict, Invalid, RemoteError, UuuError
from uuutorrent.releases.search import Releases
from uuutorrent.remote import Clock, Spacing
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally
from uuutorrent.torrents.grabs import Grabs
from uuutorrent.torrents.library import Library

log = structlog.get_logger()

LOOK_GAP_S = 4.0
"""Between two lists that are looked at: people at their screens ask AniList at the same pace."""
TURN_S = 300.0
"""What is not come to in this time is left for the next turn."""
ONE_S = 240.0
"""One episode gets no longer than this; see `pursuits.LEASE`."""
SLACK_S = 15.0
"""A turn may come so much too early; see the daemon's jobs."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Autopilot:
    """What people say to it, and the job that does it."""

    def __init__(
        self, database: Database, watchlists: Watchlists, releases: Releases, library: Library, grabs: Grabs,
        preferences: PreferenceBook, inbox: Inbox, timeline: Timeline, replacing: Replacing, uses: Uses, tally: Tally,
        *, every_s: float, gap_s: float = LOOK_GAP_S, now: Callable[[], datetime] = _utc_now,
        clock: Clock = time.monotonic,
    ) -> None:  # fmt: skip
        self._database = database
        self._preferences = preferences
        self._inbox = inbox
        self._pursuits = Pursuits(database)
        self._looking = Looking(database, watchlists, library, preferences, self._pursuits, inbox, now=now, clock=clock)
        self._taking = Taking(
            database,
            releases,
            library,
            grabs,
            replacing,
            self._pursuits,
            inbox,
            timeline,
            self._looking,
            tally,
            now=now,
        )
        self._planner = Planner(releases, library, self._pursuits, self._looking, now=now)
        self._lookout = Lookout(releases, clock=clock)
        self._upgrades = Upgrades(watchlists, releases, library, preferences, self._pursuits, replacing, uses, now=now)
        self._every_s = every_s
        self._spacing = Spacing(gap_s)
        self._now = now
        self._clock = clock
        self._swept_at = float("-inf")

    # What people see

    async def modes(self, user: User) -> Mapping[MediaId, Mode]:
        """The shows for which this user wants something else than for all."""
        return {media_id: show.mode for media_id, show in (await self._pursuits.shows(user)).items() if show.mode}

    async def pursuits(self, user: User) -> tuple[Pursuit, ...]:
        """What the autopilot is after for this user, or was lately: the newest first."""
        return await self._pursuits.of(user)

    def title(self, media_id: MediaId) -> str:
        """What a show is called, as far as the autopilot saw it."""
        return self._looking.title(media_id)

    async def titles(self, ids: Collection[MediaId]) -> Mapping[MediaId, str]:
        """The same for several; those that were not seen since the start are asked for, if that can be."""
        return await self._looking.titles(ids)

    def plan(self, user: User) -> AsyncGenerator[Plan]:
        """What would be taken now of what has aired already, as it becomes known; the last one that comes is whole.

        While the autopilot is off: what would be, were it on. Nothing is taken. Leave it with `aclosing`.

        Raises:
            RemoteError: the list cannot be had just now.
            Refused: AniList does not accept the person's sign-in any more.
        """
        return self._planner.plan(user)

    # What people say

    async def switch(self, user: User, mode: Mode, *, confirmed: Confirmed | None = None) -> str:
        """Turn it off, or on, or let it ask first; a sentence says what that means.

        Whoever switches it on says what is to happen with what has aired already: `ALL` takes what `plan` shows.

        Raises:
            NotConfirmed: it was off, and they did not say.
            RemoteError: the list cannot be had just now, so what is new cannot be told from what is not.
        """
        if mode is Mode.OFF:
            return await self._switch_off(user)
        if (await self._preferences.of(user)).autopilot is not Mode.OFF and confirmed is None:
            await self._preferences.change(user, autopilot=mode)
            return _meaning(mode)
        if confirmed is None:
            raise NotConfirmed
        many = await self._switch_on(user, mode, take_all=confirmed is Confirmed.ALL)
        now = f" {many} that aired already {'is' if many == 1 else 'are'} taken now." if many else ""
        return f"{_meaning(mode)}{now}"

    async def set_show(self, user: User, media_id: MediaId, mode: Mode | None) -> str:
        """Say what to do for one show, whatever is said for all; None: as for all.

        Raises:
            Refused: they said something of too many shows.
        """
        default = (await self._preferences.of(user)).autopilot
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            await self._pursuits.set_show(tx, user, media_id, mode, default)
        look, meant = await self._looking.look(user), default if mode is None else mode
        for pursuit in await self._pursuits.open_of(user) if meant is Mode.OFF else ():
            if pursuit.media_id == media_id:
                await self._looking.drop(pursuit, flightplan.LEFT_OUT)
        is_watched = meant is Mode.OFF or look is None or media_id in look.entries
        later = "" if is_watched else " You are not watching it: that begins once your list says so."
        return f"{'As for all shows: ' if mode is None else 'For this show: '}{_meaning(meant).lower()}{later}"

    async def decide(self, user: User, pursuit_id: int, choice: str) -> str:
        """Take or skip an episode that was offered, or is looked for; a sentence says what happens.

        What was skipped, or given up, can be taken all the same.

        Raises:
            Missing: this user has no such pursuit.
            Invalid: it is neither "take" nor "skip".
            Conflict: it is over.
        """
        wish, pursuit = _choice(choice), await self._pursuits.one(user, pursuit_id)
        were, now = [State.OFFERED, State.WANTED], self._now()
        if wish is Choice.SKIP:
            is_done = await self._pursuits.move(pursuit, State.SKIPPED, among=were, at=now, why="You said no.")
        else:
            were += [State.SKIPPED, State.FAILED]
            is_done = await self._pursuits.move(
                pursuit, State.WANTED, among=were, at=now, try_at=now, why="", asked=True
            )
        if not is_done:
            raise Conflict(f"that is over already: {pursuit.state}{f' ({pursuit.why})' if pursuit.why else ''}")
        what = f"{await self._named(pursuit.media_id)}, episode {pursuit.episode}"
        return f"{what} is taken in a moment." if wish is Choice.TAKE else f"{what} is left out."

    async def decide_here(self, user: User, pursuit_id: int, choice: str) -> str:
        """`decide`, for a door that does not answer the notice itself: the notice is settled too.

        Raises:
            Missing, Invalid, Conflict: as for `decide`.
        """
        said = await self.decide(user, pursuit_id, choice)
        await self._inbox.withdraw(user.id, (await self._pursuits.one(user, pursuit_id)).key, f"You said: {choice}.")
        return said

    async def decide_backlog(self, user: User, media_id: MediaId, choice: str) -> str:
        """Take, or leave out, the episodes of a show that had aired before the autopilot saw it.

        Raises:
            Invalid: it is neither "take" nor "skip".
            RemoteError: the list cannot be had just now.
            Conflict: there are none any more.
        """
        if _choice(choice) is Choice.SKIP:
            return f"{await self._named(media_id)}: only what airs from now on is taken."
        look, now = await self._looking.fresh(user), self._now()
        known = (await self._pursuits.known(user)).get(media_id, {})
        episodes = self._looking.backlog(look, media_id, known)[: flightplan.MOST_OF_SHOW]
        if not episodes:
            raise Conflict(
                "there are no such episodes any more: they were seen or fetched, or the show is off your list"
            )
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            begin = [Begin(episode, now, now) for episode in episodes]
            await self._pursuits.begin_all(tx, user, media_id, begin, asked=True)
        many = "is" if len(episodes) == 1 else "are"
        return f"{await self._named(media_id)}: {spoken(episodes)} {many} taken, as far as your quota goes."

    async def answered(self, user: User, notice: Notice, choice: str) -> str:
        """Do what was chosen at a notice of an offered episode, or of a show's backlog.

        Raises:
            Missing, Conflict: there is nothing left to choose.
            Invalid, RemoteError: as for `decide` and `decide_backlog`.
        """
        whose, _, number = notice.key.partition(":")
        its = int(number.partition(":")[0])
        if whose == "backlog":
            return await self.decide_backlog(user, MediaId(its), choice)
        return await self.decide(user, its, choice)

    async def _named(self, media_id: MediaId) -> str:
        return (await self.titles([media_id]))[media_id]

    async def _switch_off(self, user: User) -> str:
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            await self._pursuits.forget_first(tx, user)
        await self._preferences.change(user, autopilot=Mode.OFF)
        own = {media_id for media_id, mode in (await self.modes(user)).items() if mode is not Mode.OFF}
        for pursuit in await self._pursuits.open_of(user):
            if pursuit.media_id not in own:
                await self._looking.drop(pursuit, flightplan.SWITCHED_OFF)
        for question in await self._inbox.waiting(user.id, prefix="backlog:"):
            if question.media_id not in own:
                await self._inbox.withdraw(user.id, question.key, flightplan.SWITCHED_OFF)
        kept = " The shows that have a mode of their own keep it." if own else ""
        return f"{_meaning(Mode.OFF)}{kept}"

    async def _switch_on(self, user: User, mode: Mode, *, take_all: bool) -> int:
        """How many episodes that aired already are taken."""
        look, now = await self._looking.fresh(user), self._now()
        chosen = within(await self._planner.missing(look)) if take_all else {}
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            for media_id, entry in look.entries.items():
                aired = flightplan.surely_aired(entry.anime.as_of(now))
                if aired is not None:
                    await self._pursuits.see(tx, user, media_id, aired + 1)
                begin = [Begin(episode, now, now) for episode in chosen.get(media_id, ())]
                await self._pursuits.begin_all(tx, user, media_id, begin, asked=True)
            await self._preferences.change_in(tx, user, autopilot=mode)
        await self._looking.look(user)
        return sum(map(len, chosen.values()))

    # The job

    async def run_once(self) -> None:
        """Go on with whatever is due; every `every_s` look at the newest posts and at lists, too. A job."""
        is_sweep = self._clock() - self._swept_at >= self._every_s - SLACK_S
        everybody: Mapping[UserId, User] = {}
        if is_sweep:
            self._swept_at = self._clock()
            everybody = await self._followed()
            await self._watch_out(everybody)
        await self._chase_all(await self._pursuits.due(self._now()))
        for user in everybody.values():
            if self._looking.is_due(user):
                async with self._spacing:
                    await self._looking.look(user)
        if is_sweep:
            await self._pursuits.tidy(self._now())

    async def _watch_out(self, people: Mapping[UserId, User]) -> None:
        """Look at the newest posts, if anybody waits for anything; what they bring is due at once."""
        now = self._now()
        awaited = await self._pursuits.awaited(now)
        if not awaited and not await self._pursuits.took_since(now - upgrades.FOR):
            return
        posts = await self._lookout.newest()
        for pursuit in await self._lookout.spot(awaited, people, posts):
            await self._pursuits.hurry(pursuit, now)
        await self._upgrades.spot(people, posts)

    async def _chase_all(self, due: Sequence[Pursuit]) -> None:
        """Go on with these, for as long as a turn lasts; when the index or AniList is away, the rest is put off."""
        people = await self._pursuits.people({one.user_id for one in due})
        looks: dict[UserId, Look | None] = {}
        until = time.monotonic() + TURN_S
        for number, pursuit in enumerate(due):
            if time.monotonic() > until:
                return
            if (user := people.get(pursuit.user_id)) is None:
                continue
            if user.id not in looks:
                looks[user.id] = await self._looking.look(user)
            look = looks[user.id]
            if look is None:
                await self._taking.put_off(pursuit, "AniList does not tell just now what you have seen.")
                continue
            try:
                async with asyncio.timeout(ONE_S):
                    # What the index answered before the newest posts came does not know them.
                    await self._taking.chase(look, pursuit, max_age_s=self._lookout.age_s)
            except (RemoteError, TimeoutError) as e:
                log.info("autopilot: not now", why=str(e))
                for one in due[number + 1 :]:
                    await self._taking.put_off(one, str(e))
                return
            except UuuError as e:
                # Somebody who was disabled just now, say: it is theirs alone.
                log.info("autopilot: not for this user", user=user.name, why=e.message)

    async def _followed(self) -> dict[UserId, User]:
        """Everybody the autopilot does something for."""
        wishes = await self._preferences.every()
        found = {user.id: user for user, wish in wishes.items() if wish.autopilot is not Mode.OFF}
        return found | dict(await self._pursuits.people(await self._pursuits.with_modes()))


def _meaning(mode: Mode) -> str:
    return {
        Mode.OFF: "Nothing is fetched by itself.",
        Mode.ASK: "New episodes are offered in your inbox once they can be had.",
        Mode.ON: "New episodes are fetched once they can be had.",
    }[mode]


def _choice(said: str) -> Choice:
    try:
        return Choice(said)
    except ValueError as e:
        raise Invalid(f"say {Choice.TAKE} or {Choice.SKIP}", field="choice") from e
