"""The library over a real qBittorrent that moves real bytes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.swarm import MIB, Kind, RealQBittorrent, Swarm
from tests.torrents.shelf import limits_of, on_disk
from uuutorrent.accounts import User
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.holdings import Holding
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.metainfo import parse_torrent
from uuutorrent.torrents.outside import Outside
from uuutorrent.torrents.qbittorrent import QBittorrent
from uuutorrent.torrents.sources import Sources

pytestmark = [pytest.mark.real, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]
PATIENCE_S = 180
"""After a connection that failed, peers try again a minute later."""


@dataclass
class House:
    """Everything about torrents, running."""

    library: Library
    files: Files
    live: Live
    engine: QBittorrent
    qbittorrent: RealQBittorrent
    downloads: Path

    async def until(self, user: User, enough: Callable[[Holding], bool]) -> Holding:
        async with asyncio.timeout(PATIENCE_S), aclosing(self.library.follow(user)) as moments:
            async for holdings in moments:
                if holdings and enough(holdings[0]):
                    return holdings[0]
        raise AssertionError

    async def complete(self, user: User) -> Holding:
        return await self.until(user, lambda holding: holding.is_complete)

    async def read(self, user: User, path: str) -> bytes:
        opened = await self.files.open(user, path)
        with os.fdopen(opened.fd, "rb") as file:
            return file.read()


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    with Swarm(tmp_path_factory.mktemp("swarm")) as opened:
        yield opened


@pytest.fixture(scope="module")
def qbittorrent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealQBittorrent]:
    with RealQBittorrent(tmp_path_factory.mktemp("qbittorrent")) as real:
        yield real


@pytest.fixture
async def house(database: Database, qbittorrent: RealQBittorrent, tmp_path: Path) -> AsyncIterator[House]:
    downloads = tmp_path / "downloads"
    async with QBittorrent(qbittorrent.url, qbittorrent.username, qbittorrent.password, Tally()) as engine:
        live = Live(engine, poll_s=0.2)
        sources = Sources(Outside(allow_loopback=True))
        library = Library(database, engine, live, limits_of(database), downloads, sources=sources)
        polling = asyncio.create_task(live.run(), name="live")
        try:
            yield House(library, Files(library, downloads), live, engine, qbittorrent, downloads)
        finally:
            polling.cancel()
            await asyncio.wait({polling})


async def test_seeding_that_was_ended_stays_ended_until_somebody_resumes_it(
    house: House, swarm: Swarm, ann: User
) -> None:
    made = swarm.share("Seeded.mkv", MIB)
    await house.library.add(ann, parse_torrent(made.metainfo))
    await house.until(ann, lambda holding: holding.phase is Phase.SEEDING)
    await house.library.reconcile()
    ((stored, _),) = await house.library.seeding.running()

    assert await house.library.seeding.end(stored.id, datetime.now(UTC))
    await house.until(ann, lambda holding: holding.phase is Phase.COMPLETE)
    await house.library.reconcile()
    assert await house.library.seeding.running() == ()

    await house.library.resume(ann, made.infohash)
    await house.until(ann, lambda holding: holding.phase is Phase.SEEDING)
    assert await house.library.seeding.running() == ()


@pytest.mark.parametrize("kind", ["v1", "v2", "hybrid"])
@pytest.mark.parametrize("how", ["file", "magnet", "address"])
async def test_what_is_added_can_be_read_and_deleted(
    house: House, swarm: Swarm, ann: User, kind: Kind, how: str
) -> None:
    made = swarm.share(f"{kind} by {how}.mkv", MIB, kind=kind)
    given: dict[str, str | bytes] = {"file": made.metainfo, "magnet": made.magnet, "address": made.url}
    added = await house.library.add_given(ann, given[how])
    complete = await house.complete(ann)
    content = await house.read(ann, f"/torrents/{made.name}/{made.name}")
    await house.library.reconcile()
    before = on_disk(house.downloads)
    await house.library.delete(ann, added.infohash, with_files=True)

    assert content == made.files[made.name]
    assert complete.size_bytes == MIB
    assert len(before) == 2
    assert await house.files.list(ann, "/torrents") == ()
    assert on_disk(house.downloads) == []
    assert not [torrent for torrent in await house.engine.torrents() if torrent.name == made.name]


async def test_two_users_share_a_hybrid_by_either_hash(house: House, swarm: Swarm, ann: User, bob: User) -> None:
    made = swarm.share("shared.mkv", MIB, kind="hybrid")
    await house.library.add_given(ann, f"magnet:?xt=urn:btih:{made.v1}&x.pe=127.0.0.1:{swarm.port}")
    await house.complete(ann)
    await house.library.reconcile()
    await house.library.add_given(bob, made.metainfo)
    await house.complete(bob)
    said = await house.library.delete(ann, made.v2, with_files=True)

    assert "stay" in said
    assert await house.files.list(ann, "/torrents") == ()
    assert await house.read(bob, "/torrents/shared.mkv/shared.mkv") == made.files["shared.mkv"]
    await house.library.delete(bob, made.v1, with_files=True)
    assert on_disk(house.downloads) == []


async def test_a_download_outlives_a_kill(house: House, swarm: Swarm, ann: User) -> None:
    made = swarm.share("killed.mkv", 4 * MIB, limit_bps=2 * MIB)
    await house.library.add_given(ann, made.metainfo)
    await house.until(ann, lambda holding: holding.progress > 0.2)
    house.qbittorrent.kill()
    async with asyncio.timeout(PATIENCE_S), aclosing(house.live.changes()) as snapshots:
        async for snapshot in snapshots:
            if not snapshot.engine_up:
                break
    (away,) = await house.library.holdings(ann)
    house.qbittorrent.start()
    swarm.limit(made, 0)
    await house.library.reconcile(patience_s=PATIENCE_S)
    await house.complete(ann)

    assert away.progress > 0.2
    assert await house.read(ann, "/torrents/killed.mkv/killed.mkv") == made.files["killed.mkv"]
    await house.library.delete(ann, made.v1, with_files=True)


async def test_an_add_lost_in_a_kill_is_made_again(house: House, swarm: Swarm, ann: User) -> None:
    made = swarm.share("lost.mkv", MIB)
    await house.library.add(ann, parse_torrent(made.metainfo), media_id=21, episode=3)
    house.qbittorrent.kill()
    house.qbittorrent.start()
    await house.library.reconcile(patience_s=PATIENCE_S)
    await house.library.reconcile()
    await house.complete(ann)

    (torrent,) = [one for one in await house.engine.torrents() if one.v1 == made.v1]
    assert torrent.tags == {"uuutorrent", f"user:{ann.id}", "anilist:21", "ep:3"}
    assert torrent.category == "u/ann"
    await house.library.delete(ann, made.v1, with_files=True)


async def test_files_that_were_left_serve_the_next_claim(house: House, swarm: Swarm, ann: User, bob: User) -> None:
    made = swarm.share("left.mkv", MIB)
    await house.library.add_given(ann, made.metainfo)
    await house.complete(ann)
    await house.library.delete(ann, made.v1, with_files=False)
    swarm.leave(made)
    await house.library.add_given(bob, made.metainfo)
    await house.complete(bob)

    assert await house.read(bob, "/torrents/left.mkv/left.mkv") == made.files["left.mkv"]
    await house.library.delete(bob, made.v1, with_files=True)
    assert on_disk(house.downloads) == []


async def test_the_wanted_file_of_a_batch_is_there_first(house: House, swarm: Swarm, ann: User) -> None:
    made = swarm.share("Show", {"01.mkv": MIB, "Extras/02.mkv": 4 * MIB}, limit_bps=MIB)
    source = parse_torrent(made.metainfo)
    await house.library.add(ann, source, stopped=True)
    await house.until(ann, lambda holding: holding.phase is Phase.PAUSED)
    order = {file.path: file.index for file in (await house.library.details(ann, made.v1)).files}
    await house.library.set_priority(ann, made.v1, [order["Show/01.mkv"]], 7)
    await house.library.set_priority(ann, made.v1, [order["Show/Extras/02.mkv"]], 0)
    await house.library.resume(ann, made.v1)
    await house.complete(ann)

    assert [entry.name for entry in await house.files.list(ann, "/torrents/Show")] == ["01.mkv"]
    assert await house.read(ann, "/torrents/Show/01.mkv") == made.files["Show/01.mkv"]
    await house.library.delete(ann, made.v1, with_files=True)
    assert on_disk(house.downloads) == []
