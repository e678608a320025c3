"""A library over a real database and the tests' engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.torrents.fetching import Fetching
from tests.torrents.shelf import limits_of
from uuutorrent import config
from uuutorrent.store.database import Database
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def live(engine: FakeEngine) -> Live:
    """Not running: a test looks when it wants, with `refresh`."""
    return Live(engine, poll_s=0.001)


@pytest.fixture
def download_dir(tmp_path: Path) -> Path:
    place = tmp_path / "downloads"
    place.mkdir()
    return place


@pytest.fixture
def limits() -> config.Torrents:
    return config.Torrents()


@pytest.fixture
def library(database: Database, engine: FakeEngine, live: Live, limits: config.Torrents, download_dir: Path) -> Library:
    return Library(database, engine, live, limits_of(database, limits), download_dir)


@pytest.fixture
def files(library: Library, download_dir: Path) -> Files:
    return Files(library, download_dir)


@pytest.fixture
def fetching(library: Library, engine: FakeEngine, live: Live) -> Fetching:
    return Fetching(library, engine, live)
