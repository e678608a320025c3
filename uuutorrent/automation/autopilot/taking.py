"""The autopilot at one episode: is it still wanted, find it, take it or ask. Each step is noted first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from uuutorrent.anime.anime import WatchEntry
from uuutorrent.automation.autopilot import flightplan
from uuutorrent.automation.autopilot.looking import Look, Looking
from uuutorrent.automation.autopilot.pursuit import Choice, Pursuit, State, named
from uuutorrent.automation.autopilot.pursuits import Pursuits
from uuutorrent.automation.health.replacing import Replacing
from uuutorrent.automation.health.timeline import Timeline
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.automation.preferences import Mode
from uuutorrent.errors import Missing, Refused, RemoteError, Unreachable, UuuError
from uuutorrent.releases.release import SURE, Found, Match, Ranked
from uuutorrent.releases.search import Releases
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally
from uuutorrent.torrents.choosing import Choosing
from uuutorrent.torrents.grabs import Grab, Grabs, GrabState
from uuutorrent.torrents.holdings import amount
from uuutorrent.torrents.library import Library

log = structlog.get_logger()

SOON = timedelta(minutes=10)
"""When what a service outside stood in the way of is tried again."""
NO_ROOM = timedelta(hours=6)
"""When what there was no room for is tried again."""
FEW = 3
"""So often an answer that makes no sense is put down to a bad moment; then it is this release's own trouble."""


class Taking:
    """Brings one pursuit at a time a step further."""

    def __init__(
        self,
        database: Database,
        releases: Releases,
        library: Library,
        grabs: Grabs,
        replacing: Replacing,
        pursuits: Pursuits,
        inbox: Inbox,
        timeline: Timeline,
        looking: Looking,
        tally: Tally,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._releases = releases
        self._choosing = Choosing(releases)
        self._library = library
        self._replacing = replacing
        self._grabs = grabs
        self._pursuits = pursuits
        self._inbox = inbox
        self._timeline = timeline
        self._looking = looking
        self._tally = tally
        self._now = now

    async def chase(self, look: Look, pursuit: Pursuit, *, max_age_s: float | None = None) -> None:
        """Go on with a pursuit, unless somebody else does just now. Older answers of the index are not used.

        Raises:
            RemoteError: AniList or the index is away; it was put off, and so may the others be.
        """
        mine = await self._pursuits.lease(pursuit, self._now())
        if mine is None:
            return
        if mine.state is State.TAKING:
            await (self._replace(look, mine) if mine.replaces else self._take(look, mine))
        elif why := look.moot(mine):
            await self._looking.drop(mine, why)
        elif (at := self._airs_later(look.entries[mine.media_id], mine)) is not None:
            await self._pursuits.move(mine, State.WANTED, at=at, try_at=at + flightplan.LOOKS[0])
        else:
            await self._find(look, mine, max_age_s)

    async def put_off(self, pursuit: Pursuit, why: str) -> None:
        """Leave a pursuit alone for a while: something outside is in the way."""
        await self._pursuits.move(pursuit, pursuit.state, why=why, try_at=self._now() + SOON)

    async def _find(self, look: Look, pursuit: Pursuit, max_age_s: float | None) -> None:
        try:
            found = await self._releases.find(look.user, pursuit.media_id, pursuit.episode, max_age_s=max_age_s)
        except RemoteError as e:
            await self.put_off(pursuit, e.message)
            raise
        except UuuError as e:
            await self._later(look, pursuit, e.message)
            return
        best = found.best if not pursuit.replaces else _its_own(found, pursuit)
        if best is None:
            await self._later(look, pursuit, found.said)
        elif found.wait_until is not None and found.wait_until > self._now() and not pursuit.asked:
            await self._wait(pursuit, best, found.wait_until)
        elif pursuit.asked or (look.mode(pursuit.media_id) is Mode.ON and not best.is_batch):
            await self._begin(look, pursuit, best)
        else:
            await self._offer(look, pursuit, found, best)

    async def _wait(self, pursuit: Pursuit, best: Ranked, until: datetime) -> None:
        """A group that is preferred may still come; the one that is there is not looked for again till then."""
        why = f"{best.name.group or 'Another group'} has it; a group you prefer may come until {until:%H:%M} UTC."
        its = best.release
        await self._pursuits.move(pursuit, State.WANTED, try_at=until, why=why, infohash=its.infohash, title=its.title)

    async def _offer(self, look: Look, pursuit: Pursuit, found: Found, best: Ranked) -> None:
        """Ask the person, once."""
        release, what = best.release, named(found.wanted.family.anime, pursuit.episode)
        text = f"{what} can be had: {release.title} ({amount(release.size_bytes)}). Take it?"
        if best.is_batch:
            text = f"{what} can be had out of a batch, of which only this episode is fetched: {release.title}. Take it?"
        if pursuit.replaces:
            text = f"{what}: its group posted a corrected version, {release.title}. Take it in place of yours?"
        async with self._database.begin(pursuit.user_id) as tx:
            if await self._pursuits.move(
                pursuit, State.OFFERED, tx=tx, at=self._now(), why=found.said,
                infohash=release.infohash, title=release.title,
            ):  # fmt: skip
                await self._inbox.tell(
                    pursuit.user_id, Kind.CHOICE, text, key=pursuit.key, media_id=pursuit.media_id,
                    episode=pursuit.episode, infohash=release.infohash, choices=tuple(Choice), tx=tx,
                )  # fmt: skip
                self._tally.count("autopilot_episodes", "offered")

    async def _begin(self, look: Look, pursuit: Pursuit, best: Ranked) -> None:
        its = best.release
        if not await self._pursuits.move(pursuit, State.TAKING, why="", infohash=its.infohash, title=its.title):
            return
        taking = await self._pursuits.one(look.user, pursuit.id)
        await (self._replace(look, taking, best) if taking.replaces else self._take(look, taking))

    async def _replace(self, look: Look, pursuit: Pursuit, best: Ranked | None = None) -> None:
        """Have a later version take the place of the one that is there."""
        user, its, why = look.user, pursuit, "its group posted a corrected version"
        try:
            if await self._library.claimed(user, its.infohash) is None:
                if best is None:
                    found = await self._releases.find(user, its.media_id, its.episode)
                    best = _its_own(found, its)
                if best is None:
                    raise Missing("It is not on the index any more.")
                source = await self._choosing.source(best)
                await self._replacing.replace(
                    user, its.replaces, source, media_id=its.media_id, episode=its.episode, title=its.title, why=why
                )
        except UuuError as e:
            if not _may_pass(e, its):
                await self._later(look, its, e.message)
                return
            await self._pursuits.move(its, State.WANTED, why=e.message, try_at=self._now() + SOON)
            raise
        else:
            await self._pursuits.move(its, State.TAKEN, at=self._now(), why=f"Taken because {why}.", replaces="")
            self._tally.count("autopilot_episodes", "taken")

    async def _take(self, look: Look, pursuit: Pursuit) -> None:
        """Have it fetched as if it were asked for by hand; a grab that was begun before is gone on with."""
        grab = await self._grabs.get(look.user, pursuit.media_id, pursuit.episode)
        if grab.state is not GrabState.FAILED:
            await self._taken(look, pursuit, grab)
        elif grab.error is not None and _may_pass(grab.error, pursuit):
            await self._pursuits.move(pursuit, State.WANTED, why=grab.reason, try_at=self._now() + SOON)
            raise grab.error
        elif isinstance(grab.error, Refused):
            # There is no room for it; that may change any day, and it is not given up meanwhile.
            await self._pursuits.move(pursuit, State.WANTED, why=grab.reason, try_at=self._now() + NO_ROOM)
            await self._say_not_taken(look, pursuit, grab.reason)
        else:
            await self._later(look, pursuit, grab.reason)
            await self._say_not_taken(look, pursuit, grab.reason)

    async def _taken(self, look: Look, pursuit: Pursuit, grab: Grab) -> None:
        title = self._looking.title(pursuit.media_id)
        text = f"{title}, episode {pursuit.episode} is on its way: {grab.title}."
        media_id, episode, infohash = pursuit.media_id, pursuit.episode, grab.infohash or pursuit.infohash
        async with self._database.begin(look.user.id) as tx:
            if not await self._pursuits.move(
                pursuit, State.TAKEN, tx=tx, at=self._now(), why=grab.reason, infohash=infohash, title=grab.title
            ):
                return
            key = f"taken:{pursuit.id}:{infohash[:12]}"
            await self._inbox.tell(
                look.user.id, Kind.TAKEN, text, key=key, media_id=media_id, episode=episode, infohash=infohash, tx=tx
            )
            said = f"The autopilot asked for it. {grab.reason}"
            await self._timeline.note(look.user.id, infohash, "asked", said, media_id=media_id, episode=episode, tx=tx)
        self._tally.count("autopilot_episodes", "taken")
        log.info("autopilot took an episode", user=look.user.name, media_id=media_id, episode=episode)

    async def _later(self, look: Look, pursuit: Pursuit, why: str) -> None:
        """It is not to be had now: try again at growing intervals, or give up and say so."""
        at = flightplan.next_look(pursuit.at, self._now())
        if at is not None:
            await self._pursuits.move(pursuit, State.WANTED, why=why, try_at=at)
            return
        if pursuit.replaces:
            await self._pursuits.move(pursuit, State.TAKEN, why=why, at=self._now(), replaces="")
            return
        title = self._looking.title(pursuit.media_id)
        text = (
            f"{title}, episode {pursuit.episode} was not to be had for four weeks; it is not looked for any more. {why}"
        )
        async with self._database.begin(look.user.id) as tx:
            if await self._pursuits.move(pursuit, State.FAILED, tx=tx, at=self._now(), why=why):
                await self._inbox.tell(
                    look.user.id, Kind.FAILED, text, key=f"given up:{pursuit.id}", media_id=pursuit.media_id,
                    episode=pursuit.episode, tx=tx,
                )  # fmt: skip
        self._tally.count("autopilot_episodes", "failed")

    async def _say_not_taken(self, look: Look, pursuit: Pursuit, why: str) -> None:
        """Said once; of what was asked for all at once, once a day however much of it does not fit."""
        title = self._looking.title(pursuit.media_id)
        text = f"{title}, episode {pursuit.episode} can be had, and cannot be taken: {why} It is tried again later."
        about = f"{self._now():%Y-%m-%d}" if pursuit.asked else pursuit.id
        await self._inbox.tell(
            look.user.id, Kind.AVAILABLE, text, key=f"not taken:{about}", media_id=pursuit.media_id,
            episode=pursuit.episode, infohash=pursuit.infohash,
        )  # fmt: skip

    def _airs_later(self, entry: WatchEntry, pursuit: Pursuit) -> datetime | None:
        """When an episode airs that has not; None when it has, as far as AniList tells."""
        anime, now = entry.anime.as_of(self._now()), self._now()
        if anime.next_episode is None or pursuit.episode < anime.next_episode:
            return None
        known = anime.next_airs_at if pursuit.episode == anime.next_episode else None
        return known if known is not None and known > now else now + timedelta(days=1)


def _may_pass(e: UuuError, pursuit: Pursuit) -> bool:
    """Whether somebody outside is in the way who may be back in minutes."""
    return isinstance(e, Unreachable) or (isinstance(e, RemoteError) and pursuit.tries <= FEW)


def _its_own(found: Found, pursuit: Pursuit) -> Ranked | None:
    """The later version that a pursuit is about, if it would do."""
    its = (one for one in found.candidates if one.release.infohash == pursuit.infohash and not one.is_batch)
    return next((one for one in its if one.verdict is Match.MATCH and one.confidence >= SURE), None)
