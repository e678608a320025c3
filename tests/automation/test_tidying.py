"""What was watched and served is given up by itself, and nothing else ever is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.automation.evening import Clock
from tests.desks import Built, built
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media, Member
from tests.torrents import metainfos
from tests.torrents.shelf import on_disk
from uuutorrent.accounts import User
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.automation.inbox.uses import Uses
from uuutorrent.automation.upkeep.tidying import Tidying
from uuutorrent.errors import Unreachable
from uuutorrent.releases.naming import Naming
from uuutorrent.store.database import Database
from uuutorrent.torrents.holdings import Part
from uuutorrent.torrents.metainfo import Metainfo, parse_torrent

SIZE = 1000


@dataclass
class Flat:
    """Ann's, who has watched 3 episodes and wants what she watched and had to go after 7 days."""

    built: Built
    anilist: FakeAniList
    member: Member
    show: Media
    clock: Clock
    uses: Uses
    tidying: Tidying
    ann: User
    downloads: Path

    async def has(
        self, metainfo: Metainfo, *, user: User | None = None, episode: int | None, part: Part | None = None
    ) -> str:
        library, media_id = self.built.services.library, self.show.id if episode or part else None
        await library.add(user or self.ann, metainfo, media_id=media_id, episode=episode, part=part)
        contents = {file.path: b"x" * file.size_bytes for file in metainfo.files}
        self.built.engine.complete(metainfo.infohash, contents)
        await self.built.services.live.refresh()
        await library.reconcile()
        return metainfo.infohash

    async def has_episode(self, number: int, *, user: User | None = None) -> str:
        return await self.has(episode(number), episode=number, user=user)

    async def reads(self, infohash: str, name: str, *, user: User | None = None) -> None:
        self.clock.at = max(self.clock.at, datetime.now(UTC))  # never before it was claimed
        await self.uses.read_to_end(user or self.ann, f"{infohash}/{name}", SIZE)

    async def has_and_reads(self, number: int) -> str:
        infohash = await self.has_episode(number)
        await self.reads(infohash, f"Show - {number:02}.mkv")
        return infohash

    async def later(self, **by: float) -> list[str]:
        """What Ann has then."""
        self.clock.move(**by)
        await self.tidying.run_once()
        return await self.names()

    async def names(self, user: User | None = None) -> list[str]:
        return sorted(one.name for one in await self.built.services.library.holdings(user or self.ann))

    async def told(self) -> list[str]:
        notices = await self.built.services.inbox.of(self.ann)
        return [notice.text for notice in notices if notice.kind is Kind.TIDIED]


def episode(number: int) -> Metainfo:
    return parse_torrent(metainfos.single(f"Show - {number:02}.mkv", SIZE))


@pytest.fixture
async def flat(database: Database, tmp_path: Path, ann: User) -> AsyncIterator[Flat]:
    with FakeAniList() as anilist:
        show = anilist.add_media("Show", episodes=12, next_episode=11)
        anilist.list_entry(member := anilist.add_user("AnnThere"), show, progress=3)
        async with built(database, tmp_path, anilist_url=anilist.url) as opened:
            services, clock = opened.services, Clock(datetime.now(UTC))
            await services.watchlists.link(ann, member.token)
            inbox, book, lists = services.inbox, services.preferences, services.watchlists
            naming = Naming(services.releases, lists)
            uses = Uses(database, services.library, lists, naming, book, inbox, now=clock)
            tidying = Tidying(book, services.library, lists, uses, inbox, now=clock)
            await book.change(ann, tidy_days=7)
            yield Flat(opened, anilist, member, show, clock, uses, tidying, ann, tmp_path / "downloads")


async def test_what_was_watched_and_served_goes_with_its_files_after_so_many_days(flat: Flat) -> None:
    await flat.has_and_reads(3)
    (going,) = await flat.tidying.plan(flat.ann)
    assert (going.name, going.at) == ("Show - 03.mkv", flat.clock.at + timedelta(days=7))

    assert await flat.later(days=6, hours=23) == ["Show - 03.mkv"]
    assert await flat.told() == []
    assert await flat.later(hours=1) == []

    assert on_disk(flat.downloads) == []
    told = ["Show - 03.mkv was watched and served, so it was deleted, as you wished."]
    assert await flat.told() == told
    await flat.later(days=1)
    assert await flat.told() == told


async def test_without_that_wish_nothing_goes(flat: Flat) -> None:
    await flat.has_and_reads(3)
    await flat.built.services.preferences.change(flat.ann, tidy_days=0)
    assert await flat.tidying.plan(flat.ann) == ()
    assert len(await flat.tidying.plan(flat.ann, days=7)) == 1
    assert await flat.later(days=300) == ["Show - 03.mkv"]


async def test_what_was_not_watched_or_not_served_or_is_no_episode_stays(flat: Flat) -> None:
    await flat.has_and_reads(4)  # served, not watched
    await flat.has_episode(2)  # watched, not served
    by_hand = await flat.has(parse_torrent(metainfos.single("film.mkv", SIZE)), episode=None)
    await flat.reads(by_hand, "film.mkv")
    assert await flat.later(days=30) == ["Show - 02.mkv", "Show - 04.mkv", "film.mkv"]


async def test_what_is_not_whole_any_more_stays(flat: Flat) -> None:
    infohash = await flat.has_and_reads(3)
    flat.built.engine.progress(infohash, 0.5)
    await flat.built.services.live.refresh()
    assert await flat.later(days=30) == ["Show - 03.mkv"]


async def test_others_keep_what_they_claim(flat: Flat, bob: User) -> None:
    infohash = await flat.has_and_reads(3)
    await flat.has_episode(3, user=bob)
    assert await flat.later(days=30) == []
    assert await flat.names(bob) == ["Show - 03.mkv"]
    assert on_disk(flat.downloads) == [infohash, f"{infohash}/Show - 03.mkv"]


async def test_what_bob_read_says_nothing_about_ann(flat: Flat, bob: User) -> None:
    infohash = await flat.has_episode(3)
    await flat.has_episode(3, user=bob)
    await flat.reads(infohash, "Show - 03.mkv", user=bob)
    assert await flat.later(days=30) == ["Show - 03.mkv"]


async def test_a_batch_goes_once_every_episode_of_it_was_watched_and_served(flat: Flat) -> None:
    batch = parse_torrent(metainfos.several("Batch", {"1.mkv": SIZE, "2.mkv": SIZE, "3.mkv": SIZE}))
    sizes = [file.size_bytes for file in batch.files]
    infohash = await flat.has(batch, episode=None, part=Part(flat.show.id, {1: (0,), 2: (1,)}, sizes))
    await flat.reads(infohash, "Batch/1.mkv")
    assert await flat.later(days=30) == ["Batch"]
    await flat.reads(infohash, "Batch/2.mkv")
    assert await flat.later(days=6) == ["Batch"]
    assert await flat.later(days=1) == []


async def test_files_of_a_batch_that_were_chosen_by_hand_keep_it(flat: Flat) -> None:
    batch = parse_torrent(metainfos.several("Batch", {"1.mkv": SIZE, "extra.mkv": SIZE}))
    sizes = [file.size_bytes for file in batch.files]
    infohash = await flat.has(batch, episode=None, part=Part(flat.show.id, {1: (0,)}, sizes))
    await flat.built.services.library.set_priority(flat.ann, infohash, [1], 1)
    flat.built.engine.complete(infohash)
    await flat.built.services.live.refresh()
    await flat.built.services.library.reconcile()
    await flat.reads(infohash, "Batch/1.mkv")
    assert await flat.later(days=30) == ["Batch"]


async def test_while_anilist_is_away_nothing_goes(flat: Flat) -> None:
    await flat.has_and_reads(3)
    await flat.built.services.watchlists.list(flat.ann)  # there is a last answer
    flat.anilist.fault = "outage"
    assert await flat.later(days=30) == ["Show - 03.mkv"]
    with pytest.raises(Unreachable):
        await flat.tidying.plan(flat.ann)
    flat.anilist.fault = None
    assert await flat.later(minutes=1) == []


async def test_a_progress_that_was_taken_back_keeps_what_it_was_about(flat: Flat) -> None:
    await flat.has_and_reads(3)
    entry = flat.anilist.entry(flat.member, flat.show)
    assert entry
    entry.progress = 2
    assert await flat.later(days=30) == ["Show - 03.mkv"]


async def test_what_was_told_of_and_not_done_is_done_and_told_once(flat: Flat, database: Database) -> None:
    infohash = await flat.has_and_reads(3)
    (going,) = await flat.tidying.plan(flat.ann)
    key = f"tidied:{infohash}:{going.at:%Y-%m-%d}"
    await Inbox(database).tell(flat.ann.id, Kind.TIDIED, "told, and then killed", key=key)
    assert await flat.later(days=7) == []
    assert await flat.told() == ["told, and then killed"]


async def test_two_daemons_at_once_do_it_once(flat: Flat) -> None:
    await flat.has_and_reads(3)
    flat.clock.move(days=7)
    await asyncio.gather(flat.tidying.run_once(), flat.tidying.run_once())
    assert await flat.names() == []
    assert len(await flat.told()) == 1


async def test_what_was_fetched_again_stays_until_it_was_read_again(flat: Flat) -> None:
    await flat.has_and_reads(3)
    assert await flat.later(days=7) == []
    flat.clock.move(days=30)
    infohash = await flat.has_episode(3)
    assert await flat.later(hours=1) == ["Show - 03.mkv"]
    assert await flat.later(days=30) == ["Show - 03.mkv"]
    await flat.reads(infohash, "Show - 03.mkv")
    assert await flat.later(days=7) == []
