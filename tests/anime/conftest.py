from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.anime.house import House
from tests.clock import Clock
from tests.servers.anilist import FakeAniList
from uuutorrent.anime.anilist import AniList
from uuutorrent.config import AniList as Settings
from uuutorrent.store.database import Database
from uuutorrent.store.sealed import KeyRing
from uuutorrent.tally import Tally


@pytest.fixture
def service() -> Iterator[FakeAniList]:
    with FakeAniList() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def anilist(service: FakeAniList, http: httpx.AsyncClient, clock: Clock) -> AniList:
    return AniList(http, Settings(api_url=service.url), Tally(), clock=clock)


@pytest.fixture
def keyring(tmp_path: Path) -> KeyRing:
    return KeyRing.open(tmp_path / "keyring")


@pytest.fixture
def house(service: FakeAniList, http: httpx.AsyncClient, clock: Clock, keyring: KeyRing, database: Database) -> House:
    return House(service, http, clock, keyring, database)
