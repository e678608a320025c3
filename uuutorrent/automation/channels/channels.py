"""Where users are told things outside of here: their channels, and how far each was told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, update

from uuutorrent.accounts import User, UserId, enabled, hold, people
from uuutorrent.automation.channels.bulletins import TITLE
from uuutorrent.automation.channels.couriers import Couriers
from uuutorrent.automation.inbox.inbox import Inbox
from uuutorrent.automation.inbox.notice import Kind
from uuutorrent.errors import Invalid, Missing, Refused
from uuutorrent.store import onlooking
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.store.sealed import KeyRing
from uuutorrent.store.tables import ChannelRow

MOST_CHANNELS = 10
"""A user may have."""
MOST_DIGEST_H = 24 * 7
ALL_KINDS = tuple(Kind)
LEASE = timedelta(minutes=3)
"""Longer than a child may wait for its turn and send; a daemon that was killed at it is replaced after this."""
MOST_FAILURES = 20
"""In a row, the last of them a day apart: then a channel is switched off."""
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(days=1)
_TRIAL = "It works: this is a message to try out the channel."


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to tell a user something outside. Its address is never shown again: it holds passwords and tokens."""

    id: int
    label: str
    """The service and its host, e.g. "ntfy at ntfy.example.org"."""
    kinds: tuple[Kind, ...]
    digest_h: int
    """Everything of so many hours in one message; 0: each as it comes."""
    is_enabled: bool
    error: str
    """Why nothing could be sent the last time; empty when it could."""
    failures: int
    """In a row."""
    next_at: datetime
    """After a failure: not to be tried before."""
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A channel with what is needed to send through it."""

    channel: Channel
    user: User
    sent_to: int
    """The number of the last notice that was delivered, or did not need to be."""


class Channels:
    """The owner of the table `channels`; `deliveries` sends."""

    def __init__(
        self,
        database: Database,
        keyring: KeyRing,
        inbox: Inbox,
        couriers: Couriers,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._inbox = inbox
        self._couriers = couriers
        self._now = now

    # For people

    async def add(self, user: User, url: str, kinds: Collection[Kind] = ALL_KINDS, digest_h: int = 0) -> Channel:
        """Tell this user outside, from what happens next on. The address is as `apprise` writes it.

        Raises:
            Invalid: it cannot be used; `field` names what is wrong.
            Refused: it is on a private network, the user has too many, or is gone or disabled.
            Unreachable: it cannot be checked just now.
        """
        _check(kinds, digest_h)
        label, sent_to, now = await self._couriers.check(url.strip()), await self._inbox.newest(), self._now()
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            have = await tx.scalar(select(func.count()).where(ChannelRow.user_id == user.id))
            if (have or 0) >= MOST_CHANNELS:
                raise Refused(f"You have {have} channels, which is all you may have. Remove one first.")
            row = ChannelRow(
                user_id=user.id, sealed_url=self._seal(user, url), label=label[:100], kinds=list(_sorted(kinds)),
                digest_h=digest_h, is_enabled=True, sent_to=sent_to, next_at=now, failures=0, error="", made_at=now,
            )  # fmt: skip
            tx.add(row)
            await tx.flush()
            return _channel(row)

    async def of(self, user: User) -> tuple[Channel, ...]:
        """This user's channels, the oldest first."""
        async with self._database.begin(user.id) as tx:
            rows = await tx.scalars(select(ChannelRow).where(ChannelRow.user_id == user.id).order_by(ChannelRow.id))
            return tuple(map(_channel, rows))

    async def change(
        self,
        user: User,
        channel_id: int,
        *,
        url: str | None = None,
        kinds: Collection[Kind] | None = None,
        digest_h: int | None = None,
    ) -> Channel:
        """Change what is given.

        Raises:
            Missing: this user has no such channel.
            Invalid: it cannot be used; `field` names what is wrong.
            Refused: the address is on a private network, or the user is gone or disabled.
            Unreachable: the address cannot be checked just now.
        """
        _check(ALL_KINDS if kinds is None else kinds, digest_h or 0)
        label = None if url is None else await self._couriers.check(url.strip())
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            row = await _mine(tx, user, channel_id)
            if url is not None and label is not None:
                row.sealed_url, row.label = self._seal(user, url), label[:100]
            row.kinds = row.kinds if kinds is None else list(_sorted(kinds))
            row.digest_h = row.digest_h if digest_h is None else digest_h
            row.failures, row.error, row.next_at = 0, "", self._now()
            return _channel(row)

    async def set_enabled(self, user: User, channel_id: int, *, on: bool) -> Channel:
        """Let a channel be used or not. Once it is again, it begins with what happens then.

        Raises:
            Missing: this user has no such channel.
        """
        newest = await self._inbox.newest()
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            row = await _mine(tx, user, channel_id)
            if on and not row.is_enabled:
                row.sent_to, row.failures, row.error, row.next_at = newest, 0, "", self._now()
            row.is_enabled = on
            return _channel(row)

    async def remove(self, user: User, channel_id: int) -> Channel:
        """Forget a channel and its address.

        Raises:
            Missing: this user has no such channel.
        """
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            row = await _mine(tx, user, channel_id)
            await tx.delete(row)
            return _channel(row)

    async def test(self, user: User, channel_id: int) -> Channel:
        """Send a message now, whatever the hour, to see whether it arrives. What waited for that is tried again.

        Raises:
            Missing: this user has no such channel.
            Refused: it is on a private network.
            Unreachable: it was not taken; it says why.
            Invalid: its address has to be given anew.
        """
        async with self._database.begin(user.id) as tx:
            row = await _mine(tx, user, channel_id)
            channel, url = _channel(row), self._unseal(row)
        sent = await self._couriers.try_out(url, (TITLE, _TRIAL), to=channel.label)
        if sent.trouble:
            raise sent.trouble
        well = {"failures": 0, "error": "", "next_at": self._now()}
        async with self._database.begin(user.id) as tx:
            failing = update(ChannelRow).where(ChannelRow.id == channel_id, ChannelRow.failures > 0)
            await tx.execute(failing.values(well))
        return channel

    # For deliveries

    async def due(self, newest: int) -> tuple[Line, ...]:
        """All channels that may be told something now, up to the notice `newest`; the one that waited longest first."""
        due = select(ChannelRow).where(ChannelRow.is_enabled, ChannelRow.next_at <= self._now())
        due = due.where(ChannelRow.sent_to < newest)
        async with self._database.begin(SYSTEM) as tx:
            rows = (await tx.scalars(due.where(ChannelRow.user_id.in_(enabled())).order_by(ChannelRow.next_at))).all()
            known = await people(tx, {UserId(row.user_id) for row in rows}) if rows else {}
        found = ((row, known.get(UserId(row.user_id))) for row in rows)
        return tuple(Line(_channel(row), user, row.sent_to) for row, user in found if user is not None)

    async def begin(self, line: Line) -> str | None:
        """Have a channel to oneself for a while; its address, or None when somebody else has it or it changed.

        Raises:
            Invalid: the address cannot be opened any more.
        """
        seen = (ChannelRow.id == line.channel.id, ChannelRow.is_enabled, ChannelRow.sent_to == line.sent_to)
        mine = update(ChannelRow).where(*seen, ChannelRow.next_at == line.channel.next_at)
        async with self._database.begin(line.user.id) as tx:
            row = await tx.scalar(mine.values(next_at=self._now() + LEASE).returning(ChannelRow))
        return None if row is None else self._unseal(row)

    async def pass_over(self, lines: Collection[Line], horizon: int) -> None:
        """Remember that these channels need to be told nothing up to a notice's number."""
        ids = [line.channel.id for line in lines]
        idle = update(ChannelRow).where(ChannelRow.id.in_(ids), ChannelRow.sent_to < horizon)
        async with self._database.begin(SYSTEM) as tx:
            # Whoever has one of them to themselves just now settles it.
            await tx.execute(idle.where(ChannelRow.next_at <= self._now()).values(sent_to=horizon))

    async def wait(self, line: Line, until: datetime) -> None:
        """Leave a channel alone until then: it collects."""
        same = (ChannelRow.id == line.channel.id, ChannelRow.next_at == line.channel.next_at)
        async with self._database.begin(line.user.id) as tx:
            await tx.execute(update(ChannelRow).where(*same).values(next_at=until))

    async def delivered(self, line: Line, sent_to: int) -> None:
        """Remember what was delivered, as soon as it was."""
        values = {"sent_to": sent_to, "failures": 0, "error": "", "next_at": self._now()}
        async with self._database.begin(line.user.id) as tx:
            await tx.execute(update(ChannelRow).where(ChannelRow.id == line.channel.id).values(values))

    async def failed(self, line: Line, sent_to: int, why: str) -> None:
        """Remember that something could not be sent. After many failures in a row the channel is switched off."""
        failures = line.channel.failures + 1 if sent_to == line.sent_to else 1
        pause = min(_FIRST_PAUSE * 2 ** (failures - 1), _LONGEST_PAUSE)
        values = {"sent_to": sent_to, "failures": failures, "error": why, "next_at": self._now() + pause}
        is_over = failures >= MOST_FAILURES
        async with self._database.begin(line.user.id) as tx:
            changed = update(ChannelRow).where(ChannelRow.id == line.channel.id, ChannelRow.is_enabled)
            values |= {"is_enabled": False} if is_over else {}
            row_id = await tx.scalar(changed.values(values).returning(ChannelRow.id))
            if is_over and row_id is not None:
                told = f"Channel {row_id} ({line.channel.label}) was switched off after {failures} failures: {why}."
                key = f"channel:{row_id}:{self._now():%Y-%m-%dT%H:%M}"
                await self._inbox.tell(line.user.id, Kind.TROUBLE, told, key=key, tx=tx)

    def _seal(self, user: User, url: str) -> str:
        return self._keyring.seal(url.strip(), place=f"channels:url:{user.id}")

    def _unseal(self, row: ChannelRow) -> str:
        try:
            return self._keyring.unseal(row.sealed_url, place=f"channels:url:{row.user_id}")
        except Invalid as e:
            raise Invalid(f"Give its address anew: {e.message}.", field="url") from e


def read_kinds(words: Collection[str]) -> tuple[Kind, ...]:
    """Kinds of notices by their names.

    Raises:
        Invalid: there is none of that name.
    """
    known: Mapping[str, Kind] = {kind.value: kind for kind in Kind}
    for word in words:
        if word.lower() not in known:
            raise Invalid(f"There is no kind {word}; there are {', '.join(known)}.", field="kinds")
    return _sorted({known[word.lower()] for word in words})


def _check(kinds: Collection[Kind], digest_h: int) -> None:
    if not kinds:
        raise Invalid("A channel is told of at least one kind.", field="kinds")
    if not 0 <= digest_h <= MOST_DIGEST_H:
        raise Invalid(f"Collect for 0 (each as it comes) to {MOST_DIGEST_H} hours.", field="digest_h")


def _sorted(kinds: Collection[Kind]) -> tuple[Kind, ...]:
    return tuple(kind for kind in Kind if kind in kinds)


async def _mine(tx: Tx, user: User, channel_id: int) -> ChannelRow:
    row = await tx.get(ChannelRow, channel_id)
    if row is None or row.user_id != user.id:
        raise Missing("You have no such channel.")
    return row


def _channel(row: ChannelRow) -> Channel:
    # Where it goes is for nobody else's eyes.
    label = row.label.partition(" at ")[0] if onlooking.is_looking() else row.label
    return Channel(
        row.id, label, tuple(kind for kind in Kind if kind in row.kinds), row.digest_h, row.is_enabled,
        row.error, row.failures, row.next_at, row.made_at,
    )  # fmt: skip
