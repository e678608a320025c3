"""What tests of the door for browsers stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.site import Site, opened
from tests.fakes import FakeEngine
from uuutorrent.accounts import Accounts
from uuutorrent.compose import compose
from uuutorrent.config import Config
from uuutorrent.desk import Services
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The door does not care which database there is."""
    return sqlite_url


@pytest.fixture
def settings() -> dict[str, Any]:
    """What a test wants otherwise, by section; it parametrises this name."""
    return {}


@pytest.fixture
async def services(
    tmp_path: Path, settings: dict[str, Any], database: Database, accounts: Accounts
) -> AsyncIterator[Services]:
    """The services as the daemon builds them, with nobody outside to talk to."""
    config = Config.model_validate(
        {
            "server": {"data_dir": tmp_path / "data"},
            "ssh": {"public_host": "seedbox", "refusal_s": 0.05, **settings.get("ssh", {})},
            "qbittorrent": {"download_dir": str(tmp_path / "downloads")},
            "browser": {"enabled": True, "port": 0, **settings.get("browser", {})},
        }
    )
    config.download_dir.mkdir()
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(503))) as nobody:
        yield compose(config, database, FakeEngine(), nobody, Tally(), accounts)


@pytest.fixture
async def site(services: Services) -> AsyncIterator[Site]:
    async with opened(services) as running:
        yield running
