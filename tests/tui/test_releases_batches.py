"""Batches among the releases of an episode: offered as a whole, or taken for one file of them."""

from __future__ import annotations

import pytest

from tests.torrents import metainfos
from tests.tui.evening import ENTER, Evening
from uuutorrent.accounts import Operator
from uuutorrent.anime.anime import MediaId

SHOW = "Rakugaki Tantei"
BATCH = f"[Yoake] {SHOW} (01-12) [1080p] [Batch]"
MIB = 1 << 20


def files(count: int = 12) -> dict[str, int]:
    return {f"[Yoake] {SHOW} - {n:02} [1080p].mkv": 500 * MIB for n in range(1, count + 1)}


@pytest.fixture
def behind(evening: Evening) -> Evening:
    """Ann has seen nothing of a finished show, and the index has a batch of it."""
    media = evening.anilist.add_media(SHOW, id=9, episodes=12, status="FINISHED", year=2025)
    evening.anilist.list_entry(evening.member, media, progress=0)
    evening.nyaa.post(BATCH, torrent=metainfos.several(BATCH, files()), size=6000 * MIB, seeders=40)
    return evening


async def test_a_batch_is_offered_with_its_size_and_what_it_leaves(behind: Evening) -> None:
    behind.nyaa.posts.insert(0, behind.nyaa.post(f"[Yoake] {SHOW} - 01 [1080p].mkv", size=500 * MIB, seeders=50))
    del behind.nyaa.posts[-1]
    async with behind.sit(width=80, height=24) as seat:
        await seat.sees(f"› {SHOW}")
        seat.type("o")
        await seat.sees("Batch of 1-12: 5.9 GiB, leaves 44 GiB of your quota")
        await seat.sees("b takes it")
        await seat.sees(f"★ [Yoake] {SHOW} - 01")
        seat.type("b")
        await seat.sees("Fetching the whole batch")
        await seat.until(lambda: behind.engine.has(behind.nyaa.posts[-1].infohash), "the batch in the engine")
    (held,) = await behind.services.library.holdings(behind.ann)
    assert (held.name, held.is_part, held.size_bytes) == (BATCH, False, 6000 * MIB)


async def test_where_only_a_batch_has_it_one_file_of_it_is_fetched(behind: Evening) -> None:
    async with behind.sit(width=80, height=24) as seat:
        await seat.sees(f"› {SHOW}")
        seat.type("o")
        await seat.sees("It holds episode 1")
        await seat.sees("only episode 1 of it is fetched")
        seat.type(ENTER)
        await seat.until(lambda: behind.engine.has(behind.nyaa.posts[-1].infohash), "the batch in the engine")
        await seat.sees("Episode 1 downloading")
        seat.type("2")
        await seat.sees("1 torrent ")
        await seat.sees("› Rakugaki Tantei")
        seat.type(ENTER)
        await seat.sees("only episode 1 of a batch")
    (held,) = await behind.services.library.holdings(behind.ann)
    assert (held.media_id, held.episodes, held.is_part) == (MediaId(9), (1,), True)


async def test_a_batch_beyond_the_quota_says_so(behind: Evening) -> None:
    for post in behind.nyaa.posts:
        post.size = post.size * 20 if SHOW in post.title else post.size
    async with behind.sit(width=80, height=24) as seat:
        await seat.sees(f"› {SHOW}")
        seat.type("o")
        await seat.sees("Batch of 1-12: 117 GiB, only 50 GiB of your quota left")


async def test_a_release_for_which_there_is_no_room_says_so_before_it_is_fetched(behind: Evening) -> None:
    behind.nyaa.posts.insert(0, behind.nyaa.post(f"[Yoake] {SHOW} - 01 [1080p].mkv", size=500 * MIB, seeders=50))
    del behind.nyaa.posts[-1]
    await behind.services.limits.set(Operator(), "ann", {"bytes": 300 * MIB})
    async with behind.sit(width=80, height=24) as seat:
        await seat.sees(f"› {SHOW}")
        seat.type("o")
        await seat.sees("No room: ★ needs 500 MiB, 300 MiB of your quota left")
        await seat.sees("Batch of 1-12: 5.9 GiB, only 300 MiB of your quota left")
