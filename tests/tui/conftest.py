"""What tests of the screens stand on: all services over SQLite and an engine in memory, an AniList and an index."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.desks import built
from tests.servers.anilist import FakeAniList
from tests.servers.nyaa import FakeNyaa
from tests.tui.evening import Evening
from uuutorrent.accounts import User
from uuutorrent.store.database import Database


@pytest.fixture
def database_url(tmp_path: Path, furnished_file: Path) -> str:
    """Screens write no SQL: one kind of database is enough for them."""
    copied = shutil.copyfile(furnished_file, tmp_path / "uuutorrent.db")
    return f"sqlite+aiosqlite:///{copied}"


@pytest.fixture
def anilist() -> Iterator[FakeAniList]:
    with FakeAniList() as service:
        service.add_media(
            "Sousou no Frieren",
            id=1,
            english="Frieren: Beyond Journey's End",
            native="葬送のフリーレン",
            episodes=28,
            year=2023,
            next_episode=17,
            airs_in=timedelta(days=2, hours=4, minutes=30),
        )
        service.add_media("Dandadan", id=2, episodes=12, next_episode=5, airs_in=timedelta(hours=3, minutes=12))
        service.add_media("Kaguya-sama [Ultra] Romantic", id=3, native="かぐや様は告らせたい", episodes=13, year=2022)
        yield service


@pytest.fixture
def nyaa() -> Iterator[FakeNyaa]:
    with FakeNyaa() as index:
        for number in (12, 13, 14):
            index.post(f"[SubsPlease] Sousou no Frieren - {number} (1080p) [ABCD12{number}].mkv", seeders=900)
            index.post(f"[SubsPlease] Sousou no Frieren - {number} (720p) [ABCD13{number}].mkv", seeders=300)
        index.post("[Nobody] Sousou no Frieren - 13 (480p).mkv", seeders=0)
        yield index


@pytest.fixture
async def evening(
    database: Database, tmp_path: Path, anilist: FakeAniList, nyaa: FakeNyaa, ann: User
) -> AsyncIterator[Evening]:
    """Ann, whose list is at AniList, with three shows on it."""
    async with built(database, tmp_path, anilist_url=anilist.url, nyaa_url=nyaa.url) as house:
        member = anilist.add_user("frieren-fan")
        for media_id, progress in ((3, 12), (2, 4), (1, 12)):
            anilist.list_entry(member, anilist.data.media[media_id], progress=progress)
        await house.services.watchlists.link(ann, member.token)
        yield Evening(house.services, house.engine, anilist, nyaa, ann, member)
