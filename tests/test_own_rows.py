"""Row-level security where people live: what they do about themselves needs no right to anybody else's rows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from tests.conftest import PASSWORD
from tests.people import a_key
from tests.servers.anilist import FakeAniList
from tests.servers.postgres import OWNER, Postgres
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.anime.anilist import AniList
from uuutorrent.anime.anime import Anime, MediaId, WatchEntry, WatchStatus
from uuutorrent.anime.answers import Viewer
from uuutorrent.anime.lastlists import LastList, LastLists
from uuutorrent.anime.links import Links
from uuutorrent.anime.local import LocalLists
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.config import AniList as Settings
from uuutorrent.errors import Conflict, Missing
from uuutorrent.factors import Proof
from uuutorrent.releases.blocks import Blocks
from uuutorrent.releases.corrections import Corrections
from uuutorrent.releases.habits import Habits
from uuutorrent.releases.release import Correction, Form, Habit, Taste
from uuutorrent.releases.tastes import Tastes
from uuutorrent.secondfactors import SecondFactors
from uuutorrent.store.database import NOBODY, SYSTEM, Database
from uuutorrent.store.policies import Whose, column_of
from uuutorrent.store.sealed import KeyRing
from uuutorrent.store.tables import Base
from uuutorrent.tally import Tally

# SQLite keeps nothing from anybody.
pytestmark = [pytest.mark.real, pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)]

SHOW = MediaId(7)
HASH = "ab" * 20
NOW = datetime(2026, 11, 21, tzinfo=UTC)
LIST = LastList((WatchEntry(Anime(SHOW, "Kage", "", "", "Kage"), WatchStatus.CURRENT, 3),), NOW)
ROOMS = {
    "users", "keys", "factors", "audit", "links", "last_lists", "entries", "tastes", "show_tastes", "blocks",
    "unblocks", "correction_answers",
}  # fmt: skip

Act = Callable[[User], Awaitable[object]]


@contextmanager
def no_system(cluster: Postgres) -> Iterator[None]:
    """Meanwhile the daemon's role may not become the system's."""
    cluster.as_superuser(f"REVOKE uuutorrent_system FROM {OWNER}")
    try:
        yield
    finally:
        cluster.as_superuser(f"GRANT uuutorrent_system TO {OWNER}")


@pytest.fixture
def keyring(tmp_path: Path) -> KeyRing:
    return KeyRing.open(tmp_path / "keyring")


@pytest.fixture
def anilist(http: httpx.AsyncClient) -> Iterator[AniList]:
    with FakeAniList() as service:
        service.add_media("Kage no Uta", id=SHOW)
        yield AniList(http, Settings(api_url=service.url), Tally())


@pytest.fixture
def corrections(database: Database, anilist: AniList, keyring: KeyRing) -> Corrections:
    return Corrections(database, Watchlists(database, anilist, keyring, Settings()))


@pytest.fixture
def acts(
    database: Database, accounts: Accounts, keyring: KeyRing, anilist: AniList, corrections: Corrections
) -> list[Act]:
    """What people do about themselves, in an order in which it can be done; each writes or reads a room of theirs."""
    local = LocalLists(database, anilist, LastLists(database))
    links, lists, tastes = Links(database, keyring), LastLists(database), Tastes(database)
    factors, blocks = SecondFactors(database, keyring, accounts), Blocks(database, now=lambda: NOW)
    until = NOW + timedelta(days=1)

    async def relink(user: User) -> None:
        await links.keep(user, Viewer(user.id, user.name, ""), f"token-{user.id}")
        await links.broke(user, await links.credential(user))

    return [
        accounts.seen,
        lambda user: accounts.get(user.id),
        lambda user: accounts.set_password(user, PASSWORD, "another good horse battery"),
        accounts.keys,
        accounts.leaving_takes,
        factors.begin,
        factors.of,
        lambda user: factors.proves(user, "000000"),
        relink,
        links.of,
        lambda user: lists.keep(user, {WatchStatus.CURRENT: LIST}),
        lambda user: lists.amend(user, SHOW, None, [WatchStatus.CURRENT]),
        lambda user: lists.recall(user, [WatchStatus.CURRENT]),
        lambda user: local.save(user, SHOW, progress=2),
        lambda user: local.entries(user, [WatchStatus.PLANNING], refresh=False),
        lambda user: local.seen(user, SHOW),
        local.last,
        lambda user: corrections.lore_of(user, SHOW),
        corrections.mine,
        lambda user: tastes.set(user, Taste()),
        lambda user: tastes.set_show(user, SHOW, {"min_seeders": user.id}),
        lambda user: tastes.of(user, SHOW),
        lambda user: blocks.block(user.id, f"{user.id:040}", title="t", reason="r", until=until),
        lambda user: blocks.unblock(user, HASH),
        blocks.of,
    ]


async def test_what_people_do_about_themselves_needs_no_right_to_others_rows(
    database: Database, accounts: Accounts, postgres_cluster: Postgres, corrections: Corrections, acts: list[Act],
    ann: User, bob: User,
) -> None:  # fmt: skip
    for user in (ann, bob):
        await accounts.add_key(user, a_key())
        await corrections.make(user, Correction(Form.TITLE, SHOW, title=f"The Song of {user.name}"))
    await Blocks(database, now=lambda: NOW).block(None, HASH, title="t", reason="r", until=NOW + timedelta(days=1))
    with no_system(postgres_cluster):
        for act in acts:
            for user in (ann, bob):
                await act(user)
        with pytest.raises(ProgrammingError, match="permission denied to set role"):
            await accounts.by_name("bob")
    assert await owners(database, SYSTEM) == {room: {ann.id, bob.id} for room in ROOMS}
    assert await owners(database, ann.id) == {room: {ann.id} for room in ROOMS}
    assert await owners(database, NOBODY) == {room: set() for room in ROOMS}


async def owners(database: Database, whose: int | Whose) -> dict[str, set[int]]:
    """Whom the rows of each room name, asked for without saying whose."""
    found = {}
    async with database.begin(whose) as tx:
        for room in ROOMS:
            column = column_of(Base.metadata.tables[room])
            found[room] = set(await tx.scalars(text(f"SELECT {column} FROM {room} WHERE {column} IS NOT NULL")))
    return found


async def test_a_key_is_known_to_be_somebody_elses_though_its_row_is_not_seen(
    accounts: Accounts, ann: User, bob: User
) -> None:
    key = a_key()
    await accounts.add_key(ann, key)
    with pytest.raises(Conflict, match="belongs to another user"):
        await accounts.add_key(bob, key)
    assert await accounts.keys(bob) == ()
    with pytest.raises(Missing, match="no such key"):
        await accounts.remove_key(bob, str((await accounts.keys(ann))[0].id))


async def test_who_leaves_is_not_the_last_admin_though_they_see_no_other(
    accounts: Accounts, ann: User, bob: User
) -> None:
    for name in ("ann", "bob"):
        await accounts.set_role(Operator(), name, "admin")
    left = await asyncio.gather(*(accounts.leave(one, PASSWORD, Proof()) for one in (ann, bob)), return_exceptions=True)
    assert sorted(str(one) for one in left if one)[0].endswith("is the last admin: make somebody else an admin first")
    assert left.count(None) == 1


async def test_how_groups_number_belongs_to_nobody(database: Database, postgres_cluster: Postgres) -> None:
    habits = Habits(database)
    with no_system(postgres_cluster):
        await habits.learn(SHOW, [Habit("Group", 12, "[Group] Show - 13")])
        assert [one.offset for one in await habits.of(SHOW)] == [12]
