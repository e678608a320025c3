"""What is on its way: listed while it grows, and readable where it is whole if that is wanted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.errors import Missing, Refused, Unreachable
from uuutorrent.torrents.engine import EngineId, Pieces, TorrentFile
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.holdings import Part
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.metainfo import parse_torrent
from uuutorrent.torrents.views.incoming import FRESH_S, LOOK_S, Incoming, InPieces

BATCH = parse_torrent(metainfos.several("Show", {"01.mkv": 1000, "02.mkv": 1000}))


class Clock:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


class Hall:
    """A batch of Ann's on its way."""

    def __init__(self, library: Library, engine: FakeEngine, live: Live, place: Path) -> None:
        self.library, self.engine, self.live, self.clock = library, engine, live, Clock()
        self.place = place / BATCH.v1
        self.files, self.open_files = (
            Files(library, place, {"incoming": room}, clock=self.clock)
            for room in (
                Incoming(library, live, engine, is_readable=is_readable, clock=self.clock)
                for is_readable in (False, True)
            )
        )

    async def comes(self, *progress: float) -> None:
        """The files are so far."""
        for index, one in enumerate(progress):
            self.engine.file_progress(BATCH.v1, index, one)
        self.engine.progress(BATCH.v1, sum(progress) / len(progress))
        await self.live.refresh()
        self.clock.at += FRESH_S

    async def sees(self, user: User, path: str = "/incoming/Show") -> dict[str, int]:
        return {entry.name: entry.size_bytes for entry in await self.files.list(user, path)}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
async def hall(library: Library, engine: FakeEngine, live: Live, download_dir: Path, ann: User) -> Hall:
    await library.add(ann, BATCH)
    return Hall(library, engine, live, download_dir)


async def test_what_arrives_is_listed_and_grows(hall: Hall, ann: User, bob: User) -> None:
    await hall.comes(0, 0)
    begun = await hall.sees(ann)
    await hall.comes(0.5, 0.25)
    later = await hall.sees(ann)
    await hall.comes(1, 0.5)

    assert begun == {"01.mkv": 0, "02.mkv": 0}
    assert later == {"01.mkv": 500, "02.mkv": 250}
    assert await hall.sees(ann) == {"02.mkv": 500}
    assert await hall.files.list(bob, "/incoming") == ()


async def test_what_is_whole_is_not_arriving(hall: Hall, ann: User) -> None:
    await hall.comes(0.5, 0.5)
    before = [entry.name for entry in await hall.files.list(ann, "/incoming")]
    hall.engine.complete(BATCH.v1, {"Show/01.mkv": b"1" * 1000, "Show/02.mkv": b"2" * 1000})
    await hall.comes(1, 1)

    assert before == ["Show"]
    assert await hall.files.list(ann, "/incoming") == ()


async def test_of_a_batch_only_what_one_wants_is_arriving(hall: Hall, bob: User) -> None:
    await hall.library.add(bob, BATCH, media_id=1, episode=2, part=Part(1, {2: (1,)}, [1000, 1000]))
    await hall.comes(0.5, 0.5)

    assert await hall.sees(bob) == {"02.mkv": 500}


async def test_it_cannot_be_read_unless_that_is_configured(hall: Hall, ann: User) -> None:
    await hall.comes(0.5, 0.5)

    with pytest.raises(Refused, match="still arriving"):
        await hall.files.open(ann, "/incoming/Show/01.mkv")
    with pytest.raises(Missing):
        await hall.files.open(ann, "/torrents/Show/01.mkv")


async def test_where_it_is_configured_it_can_be_read_as_far_as_it_is_whole(hall: Hall, ann: User) -> None:
    (hall.place / "Show").mkdir(parents=True)
    (hall.place / "Show/02.mkv").write_bytes(b"2" * 600)
    await hall.comes(0.5, 0.6)
    hall.engine.pieces_came(BATCH.v1, 250, [False] * 4 + [True, True, False, True])
    opened = await hall.open_files.open(ann, "/incoming/Show/02.mkv")
    os.close(opened.fd)
    readable = opened.readable

    assert opened.entry.size_bytes == 1000
    assert readable is not None
    assert await readable.whole(0, 1000) == 250
    assert await readable.whole(100, 50) == 50
    with pytest.raises(Unreachable, match="not arrived yet"):
        await readable.whole(250, 10)
    hall.engine.pieces_came(BATCH.v1, 250, [False] * 4 + [True] * 4)
    hall.clock.at += LOOK_S
    assert await readable.whole(250, 4000) == 750
    assert await readable.whole(0, 4000) == 1000
    assert await readable.whole(1000, 10) == 0


async def test_what_is_not_on_the_disk_yet_is_missing(hall: Hall, ann: User) -> None:
    await hall.comes(0.5, 0.5)

    with pytest.raises(Missing):
        await hall.open_files.open(ann, "/incoming/Show/01.mkv")
    assert (await hall.open_files.stat(ann, "/incoming/Show/01.mkv")).size_bytes == 1000


async def test_no_byte_of_a_missing_piece_is_ever_readable(engine: FakeEngine) -> None:
    """Whatever place of its first piece the file begins at."""
    size, length = 16, 100
    for begin in range(size):
        pieces = (begin + length + size - 1) // size
        for missing in range(pieces):
            engine.pieces_of["x"] = Pieces(size, tuple(piece != missing for piece in range(pieces)))
            file = TorrentFile(0, "a", length, 0.5, 1, first_piece=0, last_piece=pieces - 1)
            here = InPieces(engine, EngineId("x"), file)
            here._pieces = engine.pieces_of["x"]
            for offset in range(length):
                whole = here._here(offset, length - offset)
                touched = {(begin + at) // size for at in range(offset, offset + whole)}
                assert missing not in touched


async def test_an_engine_that_is_away_shows_nothing_and_breaks_nothing(hall: Hall, ann: User) -> None:
    await hall.comes(0.5, 0.5)
    hall.engine.go_down()

    assert await hall.files.list(ann, "/incoming") == ()
