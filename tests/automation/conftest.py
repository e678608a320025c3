from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.automation.evening import Clock, Evening
from tests.automation.sky import Sky, under_the_sky
from tests.desks import built
from tests.servers.site import serving
from uuutorrent.store.database import Database


@pytest.fixture
async def evening(database: Database, tmp_path: Path) -> AsyncIterator[Evening]:
    async with built(database, tmp_path) as opened, serving() as site:
        services, clock = opened.services, Clock()
        yield Evening(opened, site, clock, services.feeds.paced(now=clock, gap_s=0))


@pytest.fixture
async def sky(database: Database, tmp_path: Path) -> AsyncIterator[Sky]:
    async with under_the_sky(database, tmp_path) as opened:
        yield opened
