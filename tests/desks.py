"""The services over a real database and an engine in memory, for tests of what stands on them: doors and screens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.fakes import FakeEngine
from uuutorrent.accounts import Accounts
from uuutorrent.anime.anilist import AniList
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.config import Config
from uuutorrent.desk import Services
from uuutorrent.releases.nyaa import Nyaa
from uuutorrent.releases.search import Releases
from uuutorrent.store.database import Database
from uuutorrent.store.sealed import KeyRing
from uuutorrent.tally import Tally
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.grabs import Grabs
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live

NOBODY = "http://127.0.0.1:9"
"""Where nothing listens: a service that cannot be reached."""
CHEAP_ROUNDS = 4


@dataclass(frozen=True)
class Built:
    services: Services
    engine: FakeEngine


@asynccontextmanager
async def built(
    database: Database, home: Path, *, anilist_url: str = NOBODY, nyaa_url: str = NOBODY, client_id: str = "4242"
) -> AsyncGenerator[Built]:
    """All services, polling a FakeEngine; give the addresses of fakes for what is outside."""
    config = Config.model_validate(
        {
            "server": {"data_dir": home / "data"},
            "ssh": {"public_host": "seedbox"},
            "qbittorrent": {"download_dir": str(home / "downloads"), "poll_s": 0.2},
            "torrents": {"allow_loopback": True},
            "anilist": {"api_url": anilist_url, "client_id": client_id, "requests_per_min": 90},
            "nyaa": {"base_url": nyaa_url},
        }
    )
    config.server.data.mkdir(parents=True, exist_ok=True)
    config.download_dir.mkdir(parents=True, exist_ok=True)
    tally, engine = Tally(), FakeEngine()
    async with httpx.AsyncClient() as http:
        live = Live(engine, config.qbittorrent.poll_s)
        keyring = KeyRing.open(config.server.data / "keyring")
        watchlists = Watchlists(database, AniList(http, config.anilist, tally), keyring, config.anilist)
        releases = Releases(database, Nyaa(http, config.nyaa, tally), watchlists)
        library = Library(database, engine, live, config.torrents, config.download_dir)
        services = Services(
            config=config,
            tally=tally,
            accounts=Accounts(database, config.accounts, rounds=CHEAP_ROUNDS),
            watchlists=watchlists,
            releases=releases,
            live=live,
            library=library,
            grabs=Grabs(database, watchlists, releases, library, tally),
            files=Files(library, config.download_dir),
        )
        polling = asyncio.create_task(live.run(), name="live")
        try:
            yield Built(services, engine)
        finally:
            polling.cancel()
            await asyncio.wait({polling})
