"""Inbox, channels and deliveries over a real database, a receiver on loopback, and a clock that tests move."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from tests.automation.evening import Clock
from tests.servers.receiver import Receiver
from uuutorrent.accounts import User
from uuutorrent.automation.channels.channels import ALL_KINDS, Channel, Channels
from uuutorrent.automation.channels.couriers import Couriers
from uuutorrent.automation.channels.deliveries import Deliveries
from uuutorrent.automation.inbox.inbox import Inbox
from uuutorrent.automation.inbox.notice import Kind
from uuutorrent.automation.preferences import PreferenceBook
from uuutorrent.store.database import Database
from uuutorrent.store.sealed import KeyRing
from uuutorrent.tally import Tally


@dataclass
class Outward:
    """A daemon as far as it tells people things outside; `another` on the same database is made by `beside`."""

    database: Database
    keyring: KeyRing
    receiver: Receiver
    clock: Clock
    couriers: Couriers
    inbox: Inbox = field(init=False)
    channels: Channels = field(init=False)
    preferences: PreferenceBook = field(init=False)
    deliveries: Deliveries = field(init=False)
    tally: Tally = field(init=False)
    keys: itertools.count[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.database, now=self.clock)
        self.preferences = PreferenceBook(self.database)
        self.channels = Channels(self.database, self.keyring, self.inbox, self.couriers, now=self.clock)
        self.tally = Tally()
        self.deliveries = Deliveries(
            self.channels, self.inbox, self.preferences, self.couriers, self.tally, now=self.clock
        )

    @classmethod
    def open(cls, database: Database, folder: Path, receiver: Receiver, *, deadline_s: float = 30.0) -> Outward:
        couriers = Couriers(allow_private=True, deadline_s=deadline_s)
        return cls(database, KeyRing.open(folder / "keyring"), receiver, Clock(), couriers)

    def beside(self, database: Database) -> Outward:
        """Another daemon, with the same keys and the same clock."""
        return Outward(database, self.keyring, self.receiver, self.clock, Couriers(allow_private=True))

    async def tell(self, user: User, text: str, kind: Kind = Kind.FINISHED) -> None:
        await self.inbox.tell(user.id, kind, text, key=f"{next(self.keys)}")

    async def channel(
        self, user: User, path: str = "", kinds: Collection[Kind] = ALL_KINDS, digest_h: int = 0
    ) -> Channel:
        return await self.channels.add(user, f"{self.receiver.url}{path}", kinds, digest_h)

    async def later(self, **by: float) -> None:
        self.clock.move(**by)
        await self.deliveries.run_once()

    async def one(self, user: User) -> Channel:
        (channel,) = await self.channels.of(user)
        return channel

    async def texts(self, user: User) -> list[str]:
        """What the user's inbox says, newest first."""
        return [notice.text for notice in await self.inbox.of(user)]
