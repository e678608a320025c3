"""The services over a real database and an engine in memory, for tests of what stands on them: doors and screens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.fakes import FakeEngine
from tests.people import CHEAP_ROUNDS, PATIENCE_S, trust
from uuutorrent.accounts import Accounts
from uuutorrent.compose import Times, compose
from uuutorrent.config import Config
from uuutorrent.desk import Services
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally

NOBODY = "http://127.0.0.1:9"
"""Where nothing listens: a service that cannot be reached."""


@dataclass(frozen=True)
class Built:
    services: Services
    engine: FakeEngine


@asynccontextmanager
async def built(
    database: Database,
    home: Path,
    *,
    anilist_url: str = NOBODY,
    nyaa_url: str = NOBODY,
    client_id: str = "4242",
    ssh: Mapping[str, Any] | None = None,
    accounts: Mapping[str, Any] | None = None,
    times: Times | None = None,
) -> AsyncGenerator[Built]:
    """All services, polling a FakeEngine; give the addresses of fakes for what is outside."""
    config = Config.model_validate(
        {
            "server": {"data_dir": home / "data"},
            "ssh": {"public_host": "seedbox", **(ssh or {})},
            "accounts": accounts or {},
            "qbittorrent": {"download_dir": str(home / "downloads"), "poll_s": 0.2},
            "torrents": {"allow_loopback": True},
            "notifications": {"allow_private": True},
            "anilist": {"api_url": anilist_url, "client_id": client_id, "requests_per_min": 90},
            "nyaa": {"base_url": nyaa_url},
            "upkeep": {"free_floor_bytes": 0},
        }
    )
    config.server.data.mkdir(parents=True, exist_ok=True)
    config.download_dir.mkdir(parents=True, exist_ok=True)
    tally, engine = Tally(), FakeEngine()
    async with httpx.AsyncClient(timeout=PATIENCE_S, verify=trust()) as http:
        people = Accounts(database, config.accounts, rounds=CHEAP_ROUNDS)
        services = compose(config, database, engine, http, tally, people, times=times or Times())
        polling = asyncio.create_task(services.live.run(), name="live")
        try:
            yield Built(services, engine)
        finally:
            polling.cancel()
            await asyncio.wait({polling})
