"""Episodes out of batches, with a real qBittorrent of either version that moves real bytes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import qbittorrentapi as api

from tests.swarm import MIB, Kind, Made, RealQBittorrent, Swarm
from tests.torrents.index import FRIEREN, Index, Shelf
from tests.torrents.shelf import limits_of
from tests.torrents.test_engine import PROGRAMS
from uuutorrent.accounts import User
from uuutorrent.releases.release import Kind as Sort
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally
from uuutorrent.torrents.engine import Torrent
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.grabs import Grab, Grabs
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.outside import Outside
from uuutorrent.torrents.qbittorrent import QBittorrent
from uuutorrent.torrents.sources import Sources

pytestmark = [pytest.mark.real, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]
PATIENCE_S = 60
SHOW = FRIEREN.media_id
EPISODE = 2 * MIB + 12_345
"""No whole number of pieces: at its ends it shares them with its neighbours."""


@dataclass
class House:
    """Everything about torrents, running, and an index with one batch."""

    library: Library
    grabs: Grabs
    files: Files
    live: Live
    engine: QBittorrent
    qbittorrent: RealQBittorrent
    downloads: Path
    index: Index

    async def complete(self, user: User, grab: Grab) -> None:
        done = await self.grabs.wait(user, grab.id, PATIENCE_S)
        assert done.state == "complete", done

    async def shown(self, user: User) -> dict[str, bytes]:
        """Everything that a user may read, by path."""
        found = {}
        for folder in await self.files.list(user, "/torrents"):
            for entry in await self.files.list(user, f"/torrents/{folder.name}"):
                opened = await self.files.open(user, f"/torrents/{folder.name}/{entry.name}")
                with os.fdopen(opened.fd, "rb") as file:
                    found[entry.name] = file.read()
        return found

    async def until(self, true: Callable[[Torrent], bool]) -> Torrent:
        async with asyncio.timeout(PATIENCE_S), aclosing(self.live.changes()) as snapshots:
            async for snapshot in snapshots:
                if snapshot.engine_up and snapshot.torrents and true(snapshot.torrents[0]):
                    return snapshot.torrents[0]
        raise AssertionError

    def used(self) -> int:
        """Bytes on the disk."""
        return sum(place.stat().st_blocks * 512 for place in self.downloads.rglob("*") if place.is_file())


@pytest.fixture
def swarm(tmp_path: Path) -> Iterator[Swarm]:
    with Swarm(tmp_path / "swarm") as opened:
        yield opened


@pytest.fixture(params=PROGRAMS)
def qbittorrent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealQBittorrent]:
    program = PROGRAMS[request.param]()
    with RealQBittorrent(tmp_path / "qbittorrent", program.words, program.env) as real:
        yield real


@pytest.fixture
async def house(database: Database, qbittorrent: RealQBittorrent, tmp_path: Path) -> AsyncIterator[House]:
    downloads = tmp_path / "downloads"
    async with QBittorrent(qbittorrent.url, qbittorrent.username, qbittorrent.password, Tally()) as engine:
        live = Live(engine, poll_s=0.2)
        sources = Sources(Outside(allow_loopback=True))
        library = Library(database, engine, live, limits_of(database), downloads, sources=sources)
        index = Index()
        index.has_singles = False
        grabs = Grabs(database, Shelf(), index, library, Tally())
        polling = asyncio.create_task(live.run(), name="live")
        try:
            yield House(library, grabs, Files(library, downloads), live, engine, qbittorrent, downloads, index)
        finally:
            polling.cancel()
            await asyncio.wait({polling})


@contextmanager
def newcomer(house: House, made: Made, place: Path) -> Iterator[None]:
    """A seeder that qBittorrent does not know yet: to one that it left it comes back after a minute at the earliest."""
    real = house.qbittorrent
    with Swarm(place) as swarm, api.Client(real.url, username=real.username, password=real.password) as client:
        swarm.seed_too(made)
        hashes = [str(torrent["hash"]) for torrent in client.torrents_info()]
        client.torrents_add_peers(peers=[f"127.0.0.1:{swarm.port}"], torrent_hashes=hashes)
        yield


def batch(swarm: Swarm, house: House, *, kind: Kind = "v1", limit_bps: int = 0) -> Made:
    """Four episodes, subtitles for the third, on the index."""
    content = {f"[Group] Frieren - {number:02}.mkv": EPISODE for number in range(1, 5)}
    made = swarm.share("Frieren", content | {"[Group] Frieren - 03.ass": 4321}, kind=kind, limit_bps=limit_bps)
    house.index.extra = [house.index.post(made.metainfo, "[Group] Frieren [Batch]", kind=Sort.BATCH)]
    return made


def those(made: Made, *names: str) -> dict[str, bytes]:
    return {f"[Group] Frieren - {name}": made.files[f"Frieren/[Group] Frieren - {name}"] for name in names}


@pytest.mark.parametrize("kind", ["v1", "v2", "hybrid"])
async def test_one_episode_arrives_then_the_next_then_somebody_elses(
    house: House, swarm: Swarm, ann: User, bob: User, kind: Kind, tmp_path: Path
) -> None:
    made = batch(swarm, house, kind=kind)
    third = await house.grabs.get(ann, SHOW, 3)
    await house.complete(ann, third)
    assert await house.shown(ann) == those(made, "03.mkv", "03.ass")
    assert EPISODE <= house.used() < 2 * EPISODE
    await house.library.reconcile()

    fourth = await house.grabs.get(ann, SHOW, 4)
    assert fourth.infohash == third.infohash
    with newcomer(house, made, tmp_path / "second"):
        await house.complete(ann, fourth)
    assert await house.shown(ann) == those(made, "03.mkv", "03.ass", "04.mkv")

    first = await house.grabs.get(bob, SHOW, 1)
    with newcomer(house, made, tmp_path / "third"):
        await house.complete(bob, first)
    assert await house.shown(bob) == those(made, "01.mkv")
    assert await house.shown(ann) == those(made, "03.mkv", "03.ass", "04.mkv")
    assert house.used() < 4 * EPISODE

    await house.library.delete(ann, made.infohash, with_files=True)
    await house.library.reconcile()
    assert await house.shown(bob) == those(made, "01.mkv")
    await house.library.delete(bob, made.infohash, with_files=True)
    assert not any(house.downloads.rglob("*"))


async def test_nothing_of_the_others_is_asked_for_before_the_choice_is_made(
    house: House, swarm: Swarm, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = batch(swarm, house)
    chosen, go_on = asyncio.Event(), asyncio.Event()
    set_priority = house.engine.set_priority

    async def late(*args: object, **more: object) -> None:
        chosen.set()
        await go_on.wait()
        await set_priority(*args, **more)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(house.library._engine, "set_priority", late)
    getting = asyncio.create_task(house.grabs.get(ann, SHOW, 3), name="get")
    await chosen.wait()
    before = await house.until(lambda torrent: torrent.phase == "paused")
    go_on.set()
    await house.complete(ann, await getting)

    assert before.completed_bytes == 0
    assert await house.shown(ann) == those(made, "03.mkv", "03.ass")


async def test_the_choice_outlives_a_kill_of_qbittorrent(house: House, swarm: Swarm, ann: User) -> None:
    made = batch(swarm, house, limit_bps=MIB // 2)
    grab = await house.grabs.get(ann, SHOW, 3)
    await house.until(lambda torrent: torrent.progress > 0.2)
    house.qbittorrent.kill()
    house.qbittorrent.start()
    await house.library.reconcile(patience_s=PATIENCE_S)
    await house.library.reconcile()
    swarm.limit(made, 0)
    await house.complete(ann, grab)

    assert await house.shown(ann) == those(made, "03.mkv", "03.ass")
    assert house.used() < 2 * EPISODE


async def test_everything_is_fetched_when_the_whole_batch_is_asked_for(
    house: House, swarm: Swarm, ann: User, tmp_path: Path
) -> None:
    made = batch(swarm, house)
    await house.complete(ann, await house.grabs.get(ann, SHOW, 3))
    whole = await house.grabs.get(ann, SHOW, 3, whole_batch=True)
    with newcomer(house, made, tmp_path / "second"):
        await house.complete(ann, whole)
    assert await house.shown(ann) == those(made, "01.mkv", "02.mkv", "03.mkv", "03.ass", "04.mkv")
