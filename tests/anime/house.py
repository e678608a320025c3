"""The anime rooms of a daemon, on a service like AniList and a real database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.clock import Clock
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media, Member
from uuutorrent.accounts import User
from uuutorrent.anime.anilist import AniList
from uuutorrent.anime.anime import MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.config import AniList as Settings
from uuutorrent.store.database import Database
from uuutorrent.store.sealed import KeyRing
from uuutorrent.tally import Tally


@dataclass
class House:
    service: FakeAniList
    http: httpx.AsyncClient
    clock: Clock
    keyring: KeyRing
    database: Database
    anilist: AniList = field(init=False)
    watchlists: Watchlists = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new daemon: what was only in memory is gone, and the service's patience is new."""
        settings = Settings(api_url=self.service.url, client_id="1234")
        self.anilist = AniList(self.http, settings, Tally(), clock=self.clock)
        self.watchlists = Watchlists(self.database, self.anilist, self.keyring, settings, clock=self.clock)

    async def linked(self, user: User, **more: Any) -> Member:
        """Give the user an account at the service and link it."""
        member = self.service.add_user(f"{user.name}-chan", **more)
        await self.watchlists.link(user, member.token)
        self.service.requests.clear()
        return member


def id_of(media: Media) -> MediaId:
    return MediaId(media.id)
