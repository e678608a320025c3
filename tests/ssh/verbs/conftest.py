"""A house with an index, a watchlist service and three people at their prompts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from tests.desks import built
from tests.fakes import FakeEngine
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media
from tests.servers.nyaa import FakeNyaa, Post
from tests.ssh.prompt import Prompt
from tests.torrents import metainfos
from uuutorrent.accounts import Admin, User
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.desk import Services
from uuutorrent.store.database import Database


@dataclass
class House:
    services: Services
    engine: FakeEngine
    anilist: FakeAniList
    nyaa: FakeNyaa
    ann: Prompt
    bob: Prompt
    boss: Prompt
    frieren: Media

    def post(self, episode: int, *, size: int = 1000, seeders: int = 900) -> Post:
        """A release of an episode of Frieren."""
        title = f"[SubsPlease] Sousou no Frieren - {episode:02} (1080p) [6EB72D{episode:02}].mkv"
        return self.nyaa.post(title, torrent=metainfos.single(title, size), size=size, seeders=seeders)

    async def holds(self, prompt: Prompt, name: str = "Lecture", files: dict[str, int] | None = None) -> str:
        """Somebody adds a torrent; returns its hash."""
        added = await prompt.json("add -", metainfos.several(name, files))
        await self.services.live.refresh()
        return str(added["infohash"])

    async def completes(self, infohash: str, contents: dict[str, bytes]) -> None:
        self.engine.complete(infohash, contents)
        await self.services.live.refresh()
        await self.services.library.reconcile()

    def people_sign_up(self, mode: Literal["closed", "invite", "open"]) -> None:
        """The configuration says how from now on."""
        self.services.accounts.config.become(AccountSettings(signup=mode))

    async def away(self) -> None:
        """qBittorrent does not answer any more, and that was noticed."""
        self.engine.go_down()
        await self.services.live.refresh()


@pytest.fixture
async def house(database: Database, tmp_path: Path, ann: User, bob: User, boss: Admin) -> AsyncIterator[House]:
    with FakeAniList() as anilist, FakeNyaa() as nyaa:
        frieren = anilist.add_media("Sousou no Frieren", native="葬送のフリーレン", episodes=28)
        async with built(database, tmp_path, anilist_url=anilist.url, nyaa_url=nyaa.url) as (there):
            one, two, three = (Prompt(there.services, user) for user in (ann, bob, boss.user))
            await there.services.live.refresh()
            yield House(there.services, there.engine, anilist, nyaa, one, two, three, frieren)
