"""Row-level security in the rooms of what happens by itself: whose rows lie open while somebody is served."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.servers.postgres import Postgres
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.autopilot.flightplan import Begin
from uuutorrent.automation.autopilot.pursuits import Pursuits
from uuutorrent.automation.channels.channels import Channels
from uuutorrent.automation.channels.couriers import Couriers
from uuutorrent.automation.feeds.rule import Saving, Terms
from uuutorrent.automation.feeds.rulebook import Rulebook
from uuutorrent.automation.health.timeline import Timeline
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.automation.preferences import Mode, PreferenceBook, Preferences
from uuutorrent.errors import Missing
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.store.policies import Whose, column_of
from uuutorrent.store.sealed import KeyRing
from uuutorrent.store.tables import Base, ChannelRow

pytestmark = pytest.mark.real

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHOW = MediaId(7)
FEED = "http://127.0.0.1:9/rss"
OWNERS = " UNION ".join(
    f"SELECT '{name}' AS room, {column} AS owner FROM {name}"
    for name, table in Base.metadata.tables.items()
    if (column := column_of(table))
)


class Peeked(Database):
    """Notes at the beginning of each transaction whose rows lie open in it, whatever it then asks for."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.open: set[tuple[str, int]] = set()

    @asynccontextmanager
    async def begin(self, whose: int | Whose) -> AsyncGenerator[Tx]:
        async with super().begin(whose) as tx:
            self.open |= {(row.room, row.owner) for row in await tx.execute(text(OWNERS))}
            yield tx


@dataclass
class Rooms:
    database: Peeked
    inbox: Inbox
    rulebook: Rulebook
    pursuits: Pursuits
    channels: Channels
    timeline: Timeline
    preferences: PreferenceBook

    async def furnish(self, user: User) -> None:
        """Somebody has something in each room; where things are numbered, theirs is number 1."""
        await self.inbox.tell(user.id, Kind.CHOICE, "Take it?", key="it", choices=("yes", "no"))
        await self.rulebook.add(user, FEED, Terms(), Saving(), NOW)
        async with self.database.begin(user.id) as tx:
            await self.pursuits.begin_all(tx, user, SHOW, [Begin(1, NOW, NOW)])
            await self.pursuits.set_show(tx, user, SHOW, Mode.ON, Mode.OFF)
            row = ChannelRow(user_id=user.id, sealed_url="", label="ntfy", kinds=[], next_at=NOW, made_at=NOW)
            tx.add(row)
        await self.timeline.note(user.id, "a" * 40, "added", "Added.")
        await self.preferences.change(user, tidy_days=9)

    def reaches(self, user: User) -> Mapping[str, Sequence[Awaitable[object]]]:
        """What somebody can ask each room for, and what they can try to do to number 1."""
        inbox, book, pursuits, channels = self.inbox, self.rulebook, self.pursuits, self.channels
        return {
            "notices": (
                inbox.of(user), inbox.unseen(user), inbox.see(user, None), inbox.one(user, 1),
                inbox.waiting(user.id), inbox.note_answer(user, 1, "yes"), inbox.withdraw(user.id, "it", ""),
            ),
            "rules": (
                book.rules(user), book.one(user, 1), book.change(user, 1, now=NOW, saving=Saving(daily=1)),
                book.set_enabled(user, 1, on=False), book.remove(user, 1), book.takings(user, 1),
                book.due(NOW, user=user),
            ),
            "pursuits": (pursuits.of(user), pursuits.one(user, 1), pursuits.known(user), pursuits.open_of(user)),
            "show_modes": (pursuits.shows(user),),
            "channels": (
                channels.of(user), channels.change(user, 1, digest_h=5), channels.remove(user, 1),
                channels.test(user, 1),
            ),
            "timeline": (self.timeline.of(user, "a" * 40), self.timeline.one(user, 1)),
        }  # fmt: skip


@pytest.fixture
def database_url(postgres_cluster: Postgres) -> str:
    """PostgreSQL's only: SQLite keeps nobody from anything."""
    return postgres_cluster.fresh()


@pytest.fixture
async def rooms(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Rooms]:
    async with Peeked(database_url) as peeked:
        inbox, keyring = Inbox(peeked), KeyRing.open(tmp_path / "keyring")
        channels = Channels(peeked, keyring, inbox, Couriers(allow_private=True))
        yield Rooms(
            peeked, inbox, Rulebook(peeked, keyring), Pursuits(peeked), channels, Timeline(peeked),
            PreferenceBook(peeked),
        )  # fmt: skip


async def found(reaching: Awaitable[object]) -> object:
    try:
        return await reaching or None
    except Missing:
        return None


async def test_who_reaches_for_what_is_anothers_finds_nothing_and_no_row_of_theirs_lies_open(
    rooms: Rooms, ann: User, bob: User
) -> None:
    await rooms.furnish(ann)
    rooms.database.open.clear()
    for room, reaches in rooms.reaches(bob).items():
        assert [await found(reach) for reach in reaches] == [None] * len(reaches), room
    assert await rooms.preferences.of(bob) == Preferences()
    assert rooms.database.open == {("users", bob.id)}


async def test_to_their_owner_they_lie_open_untouched(rooms: Rooms, ann: User, bob: User) -> None:
    await rooms.furnish(ann)
    for reaches in rooms.reaches(bob).values():
        for reach in reaches:
            await found(reach)
    rooms.database.open.clear()
    (notice,), (rule,), (channel,) = (
        await rooms.inbox.of(ann, unseen=True),
        await rooms.rulebook.rules(ann),
        await rooms.channels.of(ann),
    )
    assert (notice.is_open, rule.is_enabled, rule.saving.daily, channel.digest_h) == (True, True, Saving().daily, 0)
    assert (await rooms.preferences.of(ann)).tidy_days == 9
    mine = {"users", "notices", "rules", "pursuits", "show_modes", "channels", "timeline", "preferences"}
    assert rooms.database.open == {(room, ann.id) for room in mine}


async def test_a_feed_that_others_follow_stays_when_one_gives_it_up(rooms: Rooms, ann: User, bob: User) -> None:
    theirs = await rooms.rulebook.add(ann, FEED, Terms(), Saving(), NOW)
    mine = await rooms.rulebook.add(bob, FEED, Terms(), Saving(), NOW)
    await rooms.rulebook.remove(bob, mine.id)
    assert await rooms.rulebook.rules(ann) == (theirs,)
    await rooms.rulebook.remove(ann, theirs.id)
    async with rooms.database.begin(SYSTEM) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM feeds")) == 0


async def test_in_the_transaction_of_one_user_another_can_be_told(rooms: Rooms, ann: User, bob: User) -> None:
    async with rooms.database.begin(bob.id) as tx:
        assert await rooms.inbox.tell(ann.id, Kind.TROUBLE, "For Ann.", key="it", tx=tx)
        assert not await rooms.inbox.tell(ann.id, Kind.TROUBLE, "Again.", key="it", tx=tx)
        assert await tx.scalar(text("SELECT count(*) FROM notices")) == 0
    assert [one.text for one in await rooms.inbox.of(ann)] == ["For Ann."]
    assert await rooms.inbox.of(bob) == ()
