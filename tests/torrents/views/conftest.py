"""Ann's files over everything real but the engine: her list at AniList, and a clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.desks import Built, built
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media, Member
from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.compose import Times
from uuutorrent.store.database import Database
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.holdings import Part
from uuutorrent.torrents.metainfo import parse_torrent


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Nothing races here, and no SQL is special."""
    return sqlite_url


@dataclass
class Attic:
    """What Ann has, and what she sees of it."""

    built: Built
    anilist: FakeAniList
    member: Member
    show: Media
    ann: User
    now: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(minutes=1))

    @property
    def files(self) -> Files:
        return self.built.services.files

    async def has(
        self,
        name: str,
        contents: dict[str, bytes] | None = None,
        *,
        media_id: int | None = None,
        episode: int | None = None,
        picked: dict[int, tuple[int, ...]] | None = None,
        user: User | None = None,
    ) -> str:
        """A finished torrent, of one file or of several by path; its hash."""
        sizes = {path: len(content) for path, content in (contents or {}).items()}
        metainfo = parse_torrent(metainfos.several(name, sizes) if contents else metainfos.single(name, 10))
        part = Part(media_id, picked, list(sizes.values())) if media_id and picked else None
        services = self.built.services
        await services.library.add(user or self.ann, metainfo, media_id=media_id, episode=episode, part=part)
        here = {f"{name}/{path}": content for path, content in contents.items()} if contents else {name: b"x" * 10}
        self.built.engine.complete(metainfo.infohash, here)
        await services.live.refresh()
        await services.library.reconcile()
        return metainfo.infohash

    async def has_episode(self, number: int, group: str = "Group") -> str:
        name = f"[{group}] Frieren - {number:02} [1080p].mkv"
        return await self.has(name, media_id=self.show.id, episode=number)

    async def sees(self, path: str, user: User | None = None) -> list[str]:
        """Everything below a path."""
        found: list[str] = []
        for entry in await self.files.list(user or self.ann, path):
            below = await self.sees(f"{path}/{entry.name}", user) if entry.is_dir else []
            found += [f"{entry.name}/{one}" for one in below] if entry.is_dir else [entry.name]
        return sorted(found)

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
async def attic(database: Database, tmp_path: Path, ann: User) -> AsyncIterator[Attic]:
    """Ann has seen 3 of 12 episodes of a show."""
    with FakeAniList() as anilist:
        show = anilist.add_media("Frieren", episodes=12, next_episode=11)
        anilist.list_entry(member := anilist.add_user("AnnThere"), show, progress=3)
        clock: list[Attic] = []
        times = Times(now=lambda: clock[0].now if clock else datetime.now(UTC))
        async with built(database, tmp_path, anilist_url=anilist.url, times=times) as opened:
            clock.append(Attic(opened, anilist, member, show, ann))
            await opened.services.watchlists.link(ann, member.token)
            yield clock[0]
