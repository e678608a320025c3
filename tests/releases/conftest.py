from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.servers.nyaa import FakeNyaa
from uuutorrent.config import Nyaa as Settings
from uuutorrent.releases.nyaa import Nyaa
from uuutorrent.tally import Tally


@pytest.fixture
def index() -> Iterator[FakeNyaa]:
    with FakeNyaa() as running:
        yield running


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def nyaa(index: FakeNyaa, http: httpx.AsyncClient, tally: Tally) -> Nyaa:
    return Nyaa(http, Settings(base_url=index.url), tally, gap_s=0)
