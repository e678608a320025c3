"""Telling users outside what their inboxes say: which channel is told what, and when. It writes no SQL.

A channel remembers how far it was told only once a message was taken, so a kill at any point loses nothing; what was
sent and not yet written down is sent once more.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from uuutorrent.accounts import User, UserId
from uuutorrent.automation.channels.bulletins import TITLE, bulletins, due_at, quiet_until
from uuutorrent.automation.channels.channels import Channels, Line
from uuutorrent.automation.channels.couriers import AT_ONCE, Couriers
from uuutorrent.automation.inbox.inbox import Inbox
from uuutorrent.automation.inbox.notice import Notice
from uuutorrent.automation.preferences import PreferenceBook, Preferences
from uuutorrent.errors import Invalid
from uuutorrent.tally import Tally

log = structlog.get_logger()

PAGE = 500
MOST_PAGES = 20
"""Read in one turn; the rest is for the next one."""


class Deliveries:
    """The job that sends what is new through everybody's channels."""

    def __init__(
        self,
        channels: Channels,
        inbox: Inbox,
        preferences: PreferenceBook,
        couriers: Couriers,
        tally: Tally,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._channels = channels
        self._inbox = inbox
        self._preferences = preferences
        self._couriers = couriers
        self._tally = tally
        self._now = now

    async def run_once(self) -> None:
        """Send what is to be sent now. Two small questions to the database when there is nothing."""
        behind = await self._channels.due(await self._inbox.newest())
        if not behind:
            return
        wishes = {user.id: theirs for user, theirs in (await self._preferences.every()).items()}
        awake = [line for line in behind if not quiet_until(_of(wishes, line.user), self._now())]
        if awake:
            await self._deliver(awake, wishes)

    async def _deliver(self, lines: Sequence[Line], wishes: Mapping[UserId, Preferences]) -> None:
        notices, horizon = await self._read(min(line.sent_to for line in lines))
        theirs: dict[UserId, list[Notice]] = defaultdict(list)
        for notice in notices:
            theirs[notice.user_id].append(notice)
        wanted = {line.channel.id: _wanted(line, theirs[line.user.id]) for line in lines}
        await self._channels.pass_over([line for line in lines if not wanted[line.channel.id]], horizon)
        told = [line for line in lines if wanted[line.channel.id]]
        # Those that failed come last: each may take as long as a child is given.
        waiting = iter(sorted(told, key=lambda line: line.channel.failures))

        async def work() -> None:
            # Taken one by one: a channel is not held while it waits for those before it.
            for line in waiting:
                await self._tell(line, _Told(wanted[line.channel.id], _of(wishes, line.user), horizon))

        # One channel's trouble with the database must not end what another sends just now.
        for done in await asyncio.gather(*(work() for _ in range(AT_ONCE)), return_exceptions=True):
            if isinstance(done, BaseException):
                raise done

    async def _read(self, since: int) -> tuple[Sequence[Notice], int]:
        """Everybody's notices since a number, and up to which number these are all."""
        found: list[Notice] = []
        for _ in range(MOST_PAGES):
            page = await self._inbox.after(found[-1].id if found else since, PAGE)
            found += page
            if len(page) < PAGE:
                break
        return found, found[-1].id if found else since

    async def _tell(self, line: Line, told: _Told) -> None:
        due = due_at(told.notices, digest_h=line.channel.digest_h)
        if due > self._now():
            await self._channels.wait(line, due)
            return
        try:
            url = await self._channels.begin(line)
        except Invalid as e:
            await self._channels.failed(line, line.sent_to, e.message)
            return
        if url is None:
            return
        made = bulletins(told.notices, told.wishes, digest_h=line.channel.digest_h)
        sent = await self._couriers.send(url, [(TITLE, text) for text, _ in made], to=line.channel.label)
        for _ in range(sent.delivered):
            self._tally.count("messages", "sent")
        count = sum(notices for _, notices in made[: sent.delivered])
        if sent.trouble is None:
            await self._channels.delivered(line, told.horizon)
            log.info("a channel was told", channel=line.channel.id, user=line.user.name, notices=count)
            return
        self._tally.count("messages", "failed")
        sent_to = told.notices[count - 1].id if count else line.sent_to
        await self._channels.failed(line, sent_to, sent.trouble.message)
        log.warning("a channel could not be told", channel=line.channel.id, user=line.user.name)


@dataclass(frozen=True, slots=True)
class _Told:
    """What one channel is to be told in this turn."""

    notices: Sequence[Notice]
    wishes: Preferences
    horizon: int


def _wanted(line: Line, notices: Sequence[Notice]) -> Sequence[Notice]:
    kinds = frozenset(line.channel.kinds)
    return [one for one in notices if one.id > line.sent_to and one.kind in kinds]


def _of(wishes: Mapping[UserId, Preferences], user: User) -> Preferences:
    return wishes.get(user.id, Preferences())
