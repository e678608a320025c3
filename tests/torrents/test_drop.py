"""The drop folder: what is put there is added, what came of it is told beside it, and nobody fills the memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.servers.site import serving
from tests.torrents import metainfos
from tests.torrents.shelf import MAGNET, SHOW, limits_of, quota
from uuutorrent.accounts import User, UserId
from uuutorrent.errors import Conflict, Missing, Refused
from uuutorrent.store.database import Database
from uuutorrent.torrents.drop import MOST_LINES, Drop
from uuutorrent.torrents.dropped import FILES_IN_MEMORY, MOST_FILES, USERS_IN_MEMORY
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.outside import Outside
from uuutorrent.torrents.sources import Sources

TORRENT = metainfos.single()
LINK = f"magnet:?xt=urn:btih:{MAGNET.infohash}&dn=Show"
LIMIT = 10_000


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 5, 1, tzinfo=UTC)
        self.step = timedelta()

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Nothing here is different on another kind of database."""
    return sqlite_url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def drop(library: Library, clock: Clock) -> Drop:
    return Drop(library, LIMIT, now=clock)


async def put(drop: Drop, user: User, name: str, content: bytes) -> None:
    dropping = drop.create(user, name)
    dropping.write(0, content)
    await dropping.close()


def names(drop: Drop, user: User) -> list[str]:
    return [one.name for one in drop.entries(user)]


async def test_a_torrent_is_added_and_the_result_is_beside_it(
    drop: Drop, library: Library, engine: FakeEngine, ann: User
) -> None:
    await put(drop, ann, "x.torrent", TORRENT)
    assert names(drop, ann) == ["x.torrent", "x.torrent.added.txt"]
    assert drop.entry(ann, "x.torrent").size_bytes == len(TORRENT)
    assert drop.read(ann, "x.torrent.added.txt") == b"Added: Show - 01.mkv\n"
    assert engine.get(SHOW.v1).name == "Show - 01.mkv"
    await put(drop, ann, "x.torrent", TORRENT)
    assert drop.read(ann, "x.torrent.added.txt") == b"You have it already: Show - 01.mkv\n"


async def test_what_cannot_be_added_says_why(drop: Drop, library: Library, ann: User) -> None:
    await put(drop, ann, "x.torrent", b"nothing of the kind")
    assert names(drop, ann) == ["x.torrent", "x.torrent.failed.txt"]
    assert drop.read(ann, "x.torrent.failed.txt").startswith(b"Failed: ")
    await quota(library, ann, 500)
    await put(drop, ann, "x.torrent", TORRENT)
    assert b"500 B of your 500 B are free" in drop.read(ann, "x.torrent.failed.txt")
    await quota(library, ann, 5000)
    await put(drop, ann, "x.torrent", TORRENT)
    assert names(drop, ann) == ["x.torrent", "x.torrent.added.txt"]


async def test_every_line_of_a_text_file_is_added_by_itself(drop: Drop, library: Library, ann: User) -> None:
    await put(drop, ann, "wanted.txt", f"\ufeff# of today\r\n\r\n{LINK}\r\nwww.nonsense\u2028\r\n{LINK}\n".encode())
    assert drop.read(ann, "wanted.txt.failed.txt").decode().splitlines() == [
        "Added: Show",
        "Failed: Give a magnet link, or the http(s) address of a .torrent file.",
        "  www.nonsense",
        "You have it already: Show",
    ]
    assert [one.infohash for one in await library.holdings(ann)] == [MAGNET.infohash]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "not a text file"),
        (b"# nothing\n\n", "no magnet"),
        (b"x\n" * (MOST_LINES + 1), f"more than {MOST_LINES} lines"),
    ],
)
async def test_a_text_file_without_magnets_is_told_so(drop: Drop, ann: User, content: bytes, said: str) -> None:
    await put(drop, ann, "wanted.magnet", content)
    assert said in drop.read(ann, "wanted.magnet.failed.txt").decode()


async def test_the_address_of_a_torrent_is_fetched_as_by_add(
    database: Database, engine: FakeEngine, live: Live, download_dir: Path, ann: User, clock: Clock
) -> None:
    sources = Sources(Outside(allow_loopback=True))
    library = Library(database, engine, live, limits_of(database), download_dir, sources=sources)
    drop = Drop(library, LIMIT, now=clock)
    async with serving() as site:
        site.page("/x.torrent", TORRENT)
        await put(drop, ann, "x.txt", f"{site.url}/x.torrent\nhttp://10.0.0.1/x.torrent\n".encode())
    first, second, _ = drop.read(ann, "x.txt.failed.txt").decode().splitlines()
    assert first == "Added: Show - 01.mkv"
    assert "10.0.0.1" in second
    assert len(await library.holdings(ann)) == 1


async def test_who_hangs_up_while_it_is_added_finds_that_told(
    database: Database, engine: FakeEngine, live: Live, download_dir: Path, ann: User, clock: Clock
) -> None:
    sources = Sources(Outside(allow_loopback=True))
    drop = Drop(Library(database, engine, live, limits_of(database), download_dir, sources=sources), LIMIT, now=clock)
    asked = asyncio.Event()

    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silence, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        putting = asyncio.create_task(put(drop, ann, "x.txt", f"http://127.0.0.1:{port}/x.torrent".encode()))
        await asked.wait()
        putting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await putting
    assert drop.read(ann, "x.txt.failed.txt") == b"It was broken off before everything was added.\n"


async def test_lines_that_came_too_late_are_not_tried(drop: Drop, ann: User, clock: Clock) -> None:
    dropping = drop.create(ann, "x.txt")
    dropping.write(0, f"{LINK}\n{LINK}x\n".encode())
    clock.step = timedelta(seconds=90)
    await dropping.close()
    clock.step = timedelta()
    first, second, _ = drop.read(ann, "x.txt.failed.txt").decode().splitlines()
    assert first == "Added: Show"
    assert "Not tried" in second


async def test_pieces_may_come_in_any_order_and_over_one_another(drop: Drop, ann: User) -> None:
    dropping = drop.create(ann, "x.torrent")
    dropping.write(50, TORRENT[50:])
    dropping.write(len(TORRENT), b"too much")
    dropping.write(0, b"#" * 40)
    dropping.write(0, TORRENT[:60])
    assert dropping.size_bytes == len(TORRENT) + 8
    dropping.truncate(len(TORRENT))
    await dropping.close()
    assert drop.read(ann, "x.torrent.added.txt") == b"Added: Show - 01.mkv\n"


async def test_two_writers_are_waited_for_and_an_empty_file_may_be_filled_later(drop: Drop, ann: User) -> None:
    await drop.create(ann, "x.torrent").close()
    first, second = drop.create(ann, "x.torrent", fresh=False), drop.create(ann, "x.torrent", fresh=False)
    first.write(0, TORRENT[:100])
    await first.close()
    assert names(drop, ann) == ["x.torrent"]
    second.write(100, TORRENT[100:])
    await second.close()
    await second.close()
    assert names(drop, ann) == ["x.torrent", "x.torrent.added.txt"]


@pytest.mark.parametrize(
    "name",
    [".in.x.torrent", "x.torrent.part", "x.torrent.filepart", "x.torrent.3f2a.partial", ".x.torrent.Ab3xYz"],
)
async def test_a_name_for_meanwhile_is_added_once_it_is_renamed(drop: Drop, ann: User, name: str) -> None:
    await put(drop, ann, name, TORRENT)
    assert names(drop, ann) == [name]
    await drop.rename(ann, name, "x.torrent")
    assert names(drop, ann) == ["x.torrent", "x.torrent.added.txt"]
    await drop.rename(ann, "x.torrent", "y.torrent")
    assert names(drop, ann) == ["x.torrent.added.txt", "y.torrent"]
    with pytest.raises(Refused, match="keep their names"):
        await drop.rename(ann, "x.torrent.added.txt", "z.torrent")
    with pytest.raises(Missing):
        await drop.rename(ann, "nothing.torrent", "z.torrent")


@pytest.mark.parametrize(
    "name",
    ["x.mkv", "x", "torrent", "x.torrents", "x.torrent.added.txt", "x\n.torrent", "\udce4.txt", "x" * 250 + ".torrent"],
)
def test_other_names_are_refused(drop: Drop, ann: User, name: str) -> None:
    with pytest.raises(Refused):
        drop.create(ann, name)
    assert names(drop, ann) == []


async def test_the_longest_name_has_a_result_too(drop: Drop, ann: User) -> None:
    name = "あ" * 82 + "x.torrent"
    assert len(name.encode()) == 255
    await put(drop, ann, name, TORRENT)
    assert [one.name for one in drop.entries(ann) if len(one.name.encode()) > 255] == []
    assert len(names(drop, ann)) == 2


def test_new_means_that_there_is_none_and_not_new_that_there_is_one(drop: Drop, ann: User) -> None:
    with pytest.raises(Missing):
        drop.create(ann, "x.torrent", new=False)
    drop.create(ann, "x.torrent", new=True)
    with pytest.raises(Conflict):
        drop.create(ann, "x.torrent", new=True)


async def test_a_client_that_goes_away_in_the_middle_leaves_nothing(drop: Drop, library: Library, ann: User) -> None:
    dropping = drop.create(ann, "x.torrent")
    dropping.write(0, TORRENT)
    dropping.abandon()
    await dropping.close()
    assert names(drop, ann) == []
    assert await library.holdings(ann) == ()


async def test_a_file_taken_away_while_it_is_put_is_gone(drop: Drop, library: Library, ann: User) -> None:
    dropping = drop.create(ann, "x.torrent")
    dropping.write(0, TORRENT)
    drop.remove(ann, "x.torrent")
    with pytest.raises(Missing):
        dropping.write(0, TORRENT)
    await dropping.close()
    with pytest.raises(Missing):
        drop.remove(ann, "x.torrent")
    assert await library.holdings(ann) == ()


async def test_what_is_added_is_not_changed_nor_given_back(drop: Drop, library: Library, ann: User) -> None:
    await put(drop, ann, "x.torrent", TORRENT)
    drop.touch(ann, "x.torrent", datetime(2020, 1, 1, tzinfo=UTC))
    assert drop.entry(ann, "x.torrent").modified_at.year == 2020
    drop.truncate(ann, "x.torrent", len(TORRENT))
    for name in ("x.torrent", "x.torrent.added.txt"):
        with pytest.raises(Refused):
            drop.truncate(ann, name, 1)
    with pytest.raises(Refused, match="not given back"):
        drop.read(ann, "x.torrent")
    drop.remove(ann, "x.torrent")
    drop.remove(ann, "x.torrent.added.txt")
    assert names(drop, ann) == []
    assert len(await library.holdings(ann)) == 1


async def test_what_is_added_can_be_emptied_and_put_anew(drop: Drop, ann: User) -> None:
    await put(drop, ann, "x.torrent", b"no torrent")
    drop.truncate(ann, "x.torrent", 0)
    again = drop.create(ann, "x.torrent", fresh=False)
    again.write(0, TORRENT)
    await again.close()
    assert names(drop, ann) == ["x.torrent", "x.torrent.added.txt"]


async def test_nobody_sees_another_drop_folder(drop: Drop, library: Library, ann: User, bob: User) -> None:
    await put(drop, ann, "x.torrent", TORRENT)
    assert names(drop, bob) == []
    for name in ("x.torrent", "x.torrent.added.txt"):
        with pytest.raises(Missing):
            drop.entry(bob, name)
        with pytest.raises(Missing):
            drop.read(bob, name)
        with pytest.raises(Missing):
            drop.remove(bob, name)
        with pytest.raises(Missing):
            await drop.rename(bob, name, "mine.torrent")
    assert await library.holdings(bob) == ()


async def test_everything_is_gone_after_an_hour_but_what_is_written_to(drop: Drop, ann: User, clock: Clock) -> None:
    await put(drop, ann, "x.torrent", TORRENT)
    slow = drop.create(ann, "slow.torrent")
    clock.now += timedelta(minutes=59)
    assert len(names(drop, ann)) == 3
    clock.now += timedelta(minutes=1)
    assert names(drop, ann) == ["slow.torrent"]
    slow.write(0, TORRENT)
    await slow.close()
    assert names(drop, ann) == ["slow.torrent", "slow.torrent.added.txt"]


def test_a_file_has_a_largest_size(drop: Drop, ann: User) -> None:
    dropping = drop.create(ann, "x.torrent")
    dropping.write(LIMIT - 1, b"x")
    for offset in (LIMIT, 2**40, 2**63):
        with pytest.raises(Refused, match=str(LIMIT)):
            dropping.write(offset, b"x")
    with pytest.raises(Refused, match=str(LIMIT)):
        dropping.truncate(2**62)
    assert dropping.size_bytes == LIMIT


def test_one_user_holds_so_much_memory_and_no_more(drop: Drop, ann: User, bob: User) -> None:
    held = [drop.create(ann, f"{n}.torrent") for n in range(FILES_IN_MEMORY + 1)]
    for one in held[:-1]:
        one.truncate(LIMIT)
    with pytest.raises(Refused, match="finish some first"):
        held[-1].write(0, b"x")
    drop.create(bob, "x.torrent").write(0, b"x")
    held[0].truncate(10)
    held[-1].write(0, b"x")
    held[1].abandon()
    held[-1].truncate(LIMIT)


def test_all_together_hold_so_much_memory_and_no_more(drop: Drop, ann: User, bob: User) -> None:
    users = [replace(ann, id=UserId(1000 + n)) for n in range(USERS_IN_MEMORY)]
    for user in users:
        for n in range(FILES_IN_MEMORY):
            drop.create(user, f"{n}.torrent").truncate(LIMIT)
    late = drop.create(bob, "x.torrent")
    with pytest.raises(Refused, match="try again soon"):
        late.write(0, b"x")
    drop.remove(users[0], "0.torrent")
    late.write(0, b"x")


async def test_the_oldest_that_are_done_make_room(drop: Drop, ann: User) -> None:
    await put(drop, ann, "x.torrent", TORRENT)
    for n in range(MOST_FILES):
        drop.create(ann, f"{n}.torrent")
    assert names(drop, ann) == sorted(f"{n}.torrent" for n in range(MOST_FILES))
    with pytest.raises(Refused, match="at once"):
        drop.create(ann, "more.torrent")
    await put(drop, ann, "0.torrent", TORRENT)
    assert "0.torrent.added.txt" in names(drop, ann)
