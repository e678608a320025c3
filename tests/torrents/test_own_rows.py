"""What people do with their torrents, as PostgreSQL sees it: others' rows are not there, but where they must count."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, event, text

from tests.torrents import metainfos
from tests.torrents.index import FRIEREN, Index, Shelf
from tests.torrents.shelf import SHOW, limits_of, quota, torrent
from uuutorrent.accounts import User
from uuutorrent.limits import Limits
from uuutorrent.store.database import Database, Tx
from uuutorrent.tally import Tally
from uuutorrent.torrents.claims import Claims
from uuutorrent.torrents.engine import InfoHash
from uuutorrent.torrents.grab import Grab
from uuutorrent.torrents.grabs import Grabs
from uuutorrent.torrents.holdings import Part, Stored
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.metainfo import parse_torrent
from uuutorrent.torrents.views.looks import Looks

# SQLite keeps nothing from anybody.
pytestmark = [pytest.mark.real, pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)]

SIZES = [5, 3]
BATCH = parse_torrent(metainfos.several("Batch", {"01.mkv": SIZES[0], "02.mkv": SIZES[1]}))
OWNERS = "SELECT id FROM users" + "".join(
    f" UNION SELECT user_id FROM {table}" for table in ("claims", "picks", "grabs", "looks", "limits", "egress")
)

Act = Callable[[], Awaitable[object]]


@pytest.fixture
def limits_now(database: Database) -> Limits:
    return limits_of(database)


@pytest.fixture
def claims(database: Database, limits_now: Limits) -> Claims:
    return Claims(database, limits_now)


@pytest.fixture
def grabs(database: Database, library: Library) -> Grabs:
    return Grabs(database, Shelf(), Index(), library, Tally())


@pytest.fixture
def looks(database: Database) -> Looks:
    """An hour later each time."""
    hours = iter(range(1000))
    return Looks(database, now=lambda: datetime(2026, 11, 21, tzinfo=UTC) + timedelta(hours=next(hours)))


@contextmanager
def watched(database: Database) -> Iterator[list[set[int]]]:
    """Whose rows each transaction would have met with a query that forgot to ask whose they are."""
    seen: list[set[int]] = []

    def look(connection: Connection) -> None:
        seen.append(set(connection.exec_driver_sql(OWNERS).scalars()))

    event.listen(database.engine.sync_engine, "commit", look)
    yield seen
    event.remove(database.engine.sync_engine, "commit", look)


async def acts_of(
    bob: User, claims: Claims, limits_now: Limits, grabs: Grabs, looks: Looks, batch: Stored, grab: Grab, part: Part
) -> dict[str, Act]:
    """What somebody does with what is theirs, in the order in which it can be done."""
    grabbed = await claims.mine(bob, grab.infohash or "")
    return {
        "claim": lambda: claims.claim(bob, SHOW),
        "claim instead": lambda: claims.claim(bob, torrent("Other"), instead_of=batch.id),
        "claim a part": lambda: claims.claim(bob, BATCH, media_id=FRIEREN.media_id, part=part),
        "steer": lambda: claims.steer(bob, batch.id, [1], SIZES, wanted=True),
        "mine": lambda: claims.mine(bob, SHOW.v1),
        "of": lambda: claims.of(bob),
        "finished": lambda: claims.finished(bob),
        "usage": lambda: claims.usage(bob),
        "note": lambda: claims.set_note(batch.id, "", user_id=bob.id),
        "get again": lambda: grabs.get(bob, FRIEREN.media_id, 3),
        "one": lambda: grabs.one(bob, grab.id),
        "recent": lambda: grabs.recent(bob),
        "limit": lambda: limits_now.of(bob),
        "served": lambda: limits_now.served(bob),
        "meter": lambda: limits_now.refresh(limits_now.meter(bob)),
        "since": lambda: looks.since(bob),
        "look": lambda: looks.look(bob),
        "unclaim": lambda: claims.unclaim(bob.id, grabbed.id, by=bob),
        "recent, lost meanwhile": lambda: grabs.recent(bob),
    }


async def test_whatever_somebody_does_with_theirs_meets_nobody_elses(
    database: Database, library: Library, claims: Claims, limits_now: Limits, grabs: Grabs, looks: Looks,
    ann: User, bob: User,
) -> None:  # fmt: skip
    part = Part(FRIEREN.media_id, {1: (0,)}, SIZES)
    for user in (ann, bob):
        batch = (await claims.claim(user, BATCH, media_id=FRIEREN.media_id, part=part)).stored
        grab = await grabs.get(user, FRIEREN.media_id, 3)
        await quota(library, user, torrents=9)
        limits_now.count(limits_now.meter(user), 5)
        await looks.look(user)
    await limits_now.flush()
    acts = await acts_of(bob, claims, limits_now, grabs, looks, batch, grab, part)
    seen: dict[str, list[set[int]]] = {}
    for name, act in acts.items():
        with watched(database) as seen[name]:
            await act()
    with watched(database) as everybodys:
        await claims.every()

    assert {name: set[int]().union(*met) for name, met in seen.items()} == {name: {bob.id} for name in acts}
    assert everybodys == [{ann.id, bob.id}]


async def test_what_is_stored_together_with_a_claim_is_their_own_act(
    database: Database, library: Library, ann: User, bob: User
) -> None:
    await library.add(ann, SHOW)
    met: list[set[int]] = []

    async def also(tx: Tx, _: InfoHash) -> None:
        met.append(set(await tx.scalars(text(OWNERS))))

    await library.add(bob, SHOW, also=also)

    assert met == [{bob.id}]


async def test_who_gives_up_a_shared_torrent_still_learns_who_else_claims_it(
    claims: Claims, ann: User, bob: User
) -> None:
    part = Part(FRIEREN.media_id, {2: (1,)}, SIZES)
    await claims.claim(ann, BATCH)
    which = (await claims.claim(bob, BATCH, media_id=FRIEREN.media_id, part=part)).stored.id
    await claims.mark(which, completed_at=datetime.now(UTC), stopped=True)

    left = await claims.unclaim(ann.id, which, keep_files=True)

    assert [claim.user_id for claim in left.claims] == [bob.id]
    assert left.wanted == frozenset({1})
    assert (left.completed_at is not None, left.stopped, left.keep_files) == (True, True, False)
    assert await claims.forget(which) is False
    assert await claims.mine(bob, BATCH.v1) == left


async def test_of_two_who_give_it_up_at_once_one_is_the_last(claims: Claims, ann: User, bob: User) -> None:
    for _ in range(5):
        for user in (ann, bob):
            which = (await claims.claim(user, SHOW)).stored.id
        left = await asyncio.gather(*(claims.unclaim(user.id, which) for user in (ann, bob)))
        assert sorted(len(one.claims) for one in left) == [0, 1]


async def test_who_claims_what_another_gives_up_at_that_moment_has_it(claims: Claims, ann: User, bob: User) -> None:
    which = (await claims.claim(ann, SHOW)).stored.id

    async def give_up() -> bool:
        left = await claims.unclaim(ann.id, which)
        return bool(left.claims) or await claims.forget(which)

    for _ in range(5):
        _, taken = await asyncio.gather(give_up(), claims.claim(bob, SHOW))
        assert [claim.user_id for claim in taken.stored.claims][-1] == bob.id
        assert (await claims.mine(bob, SHOW.v1)).claims == taken.stored.claims[-1:]
        which, ann, bob = taken.stored.id, bob, ann
