"""A daemon killed between any two steps of a grab: the next one finishes it or fails it, never twice, never lost.

Dying is simulated: at the chosen point an error flies that nothing in the house catches, and from then on the dead
daemon can write nothing. What remains is what a kill -9 leaves: the database and the engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from tests.torrents.index import FRIEREN, Index, Shelf
from tests.torrents.shelf import limits_of
from uuutorrent.accounts import User
from uuutorrent.releases.release import Found
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally
from uuutorrent.torrents import grabs as grabs_module
from uuutorrent.torrents.engine import EngineId, NewTorrent
from uuutorrent.torrents.grabs import Grabs, GrabState
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live

SHOW = FRIEREN.media_id


class Killed(BaseException):
    """The daemon is no more."""


class Grave(FakeEngine):
    """An engine whose client dies right before or right after an add."""

    def __init__(self) -> None:
        super().__init__()
        self.at = ""

    async def add(self, new: NewTorrent) -> None:
        if self.at == "before the engine adds":
            raise Killed
        await super().add(new)
        if self.at == "after the engine added":
            raise Killed
        if self.at == "after the engine added, which then lost it":
            self.lose(new.v1)
            raise Killed


class Daemon:
    """What a daemon builds over a database and an engine."""

    def __init__(self, database: Database, engine: FakeEngine, download_dir: Path) -> None:
        self.index = Index()
        self.library = Library(database, engine, Live(engine, 0.001), limits_of(database), download_dir)
        self.grabs = Grabs(database, Shelf(), self.index, self.library, Tally())

    async def start(self) -> None:
        """What the daemon does at its start, twice, for it must be safe at any time."""
        for _ in range(2):
            await self.grabs.resume()
            await self.library.reconcile()
            await self.grabs.settle()

    def die_at(self, point: str, monkeypatch: pytest.MonkeyPatch, engine: Grave) -> None:
        def die(*_: object, **__: object) -> None:
            raise Killed

        def die_if(where: str) -> Callable[[str], None]:
            return lambda here: die() if here == where else None

        engine.at = point
        match point:
            case "before the search":
                self.index.before = die_if("find")
            case "after the search":
                self.index.after = die_if("find")
            case "before the file is fetched":
                self.index.before = die_if("torrent_file")
            case "before it is claimed":
                monkeypatch.setattr(self.library, "add", die)
            case "while it is claimed":
                monkeypatch.setattr(self.library._claims, "_usage", die)
            case "after it was linked":
                monkeypatch.setattr(self.grabs, "_move", die)
            case "before it is linked":
                monkeypatch.setattr(self.library, "confirm", die)
        monkeypatch.setattr(self.grabs, "_fail", die)


POINTS = (
    "before the search",
    "after the search",
    "before the file is fetched",
    "before it is claimed",
    "while it is claimed",
    "before the engine adds",
    "after the engine added",
    "after the engine added, which then lost it",
    "before it is linked",
    "after it was linked",
)


@pytest.mark.parametrize("point", POINTS)
async def test_a_grab_is_finished_once_wherever_the_daemon_died(
    database: Database, download_dir: Path, ann: User, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    engine = Grave()
    first = Daemon(database, engine, download_dir)
    first.die_at(point, monkeypatch, engine)
    with pytest.raises(Killed):
        await first.grabs.get(ann, SHOW, 3)
    engine.at = ""

    second = Daemon(database, engine, download_dir)
    await second.start()

    (grab,) = await second.grabs.recent(ann)
    (holding,) = await second.library.holdings(ann)
    assert grab.state is GrabState.ADDED
    assert grab.infohash == holding.infohash
    assert [torrent.v1 for torrent in await engine.torrents()] == [holding.infohash]
    assert (await second.library.usage(ann)).torrents == 1
    assert (await second.grabs.get(ann, SHOW, 3)).id == grab.id


@pytest.mark.parametrize("point", POINTS)
async def test_who_asks_again_after_a_crash_gets_the_same_grab(
    database: Database, download_dir: Path, ann: User, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    engine = Grave()
    first = Daemon(database, engine, download_dir)
    first.die_at(point, monkeypatch, engine)
    with pytest.raises(Killed):
        await first.grabs.get(ann, SHOW, 3)
    engine.at = ""

    second = Daemon(database, engine, download_dir)
    asked = await second.grabs.get(ann, SHOW, 3)
    await second.start()

    (grab,) = await second.grabs.recent(ann)
    assert asked.id == grab.id
    assert grab.state is GrabState.ADDED
    assert len(await engine.torrents()) == len(await second.library.holdings(ann)) == 1


async def test_a_grab_that_two_daemons_are_at_is_fetched_once(
    database: Database, download_dir: Path, ann: User
) -> None:
    engine = FakeEngine()
    one, two = (Daemon(database, engine, download_dir) for _ in range(2))
    one.index.extra = [one.index.post(metainfos.single("[Other] Frieren - 03.mkv"), "[Other] Frieren - 03.mkv")]
    searching, searched = asyncio.Event(), asyncio.Event()

    async def find(*_: object, **__: object) -> Found:
        searching.set()
        await searched.wait()
        return await Index.find(one.index, ann, SHOW, 3)

    one.index.find = find  # type: ignore[method-assign] # a search that takes its time
    asking = asyncio.create_task(one.grabs.get(ann, SHOW, 3))
    await searching.wait()
    await two.grabs.resume()
    searched.set()
    grab = await asking

    (holding,) = await one.library.holdings(ann)
    assert (grab.state, grab.infohash, grab.error) == (GrabState.ADDED, holding.infohash, None)
    assert holding.name == "[Group] Frieren - 03.mkv"
    assert [torrent.v1 for torrent in await engine.torrents()] == [holding.infohash]


async def test_a_search_that_nobody_waits_for_any_more_fails(
    database: Database, download_dir: Path, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Grave()
    first = Daemon(database, engine, download_dir)
    first.die_at("after the search", monkeypatch, engine)
    with pytest.raises(Killed):
        await first.grabs.get(ann, SHOW, 3)
    monkeypatch.setattr(grabs_module, "WORTH_RETRYING", timedelta(0))

    second = Daemon(database, engine, download_dir)
    await second.start()

    (grab,) = await second.grabs.recent(ann)
    assert grab.state is GrabState.FAILED
    assert "interrupted" in grab.reason
    assert await engine.torrents() == ()


async def test_a_kill_in_the_middle_of_a_delete_is_swept_up(
    database: Database, download_dir: Path, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Grave()
    first = Daemon(database, engine, download_dir)
    grab = await first.grabs.get(ann, SHOW, 3)
    engine.complete(grab.infohash or "", {grab.title: b"x"})

    async def die(ids: list[EngineId], *, with_files: bool) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(first.library._engine, "delete", die)
        with pytest.raises(Killed):
            await first.library.delete(ann, grab.infohash or "", with_files=True)

    second = Daemon(database, engine, download_dir)
    await second.start()

    assert await engine.torrents() == ()
    assert await second.library.holdings(ann) == ()
    assert await second.library._claims.every() == ()
    assert [*download_dir.rglob("*")] == []  # noqa: ASYNC240
