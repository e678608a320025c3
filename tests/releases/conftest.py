from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media
from tests.servers.nyaa import FakeNyaa
from uuutorrent.accounts import User
from uuutorrent.anime.anilist import AniList
from uuutorrent.anime.anime import MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.config import AniList as AniListSettings
from uuutorrent.config import Nyaa as Settings
from uuutorrent.releases.nyaa import Nyaa
from uuutorrent.releases.release import Found
from uuutorrent.releases.search import Releases
from uuutorrent.store.database import Database
from uuutorrent.store.sealed import KeyRing
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


@pytest.fixture
def anilist() -> Iterator[FakeAniList]:
    with FakeAniList() as running:
        yield running


@pytest.fixture
def watchlists(database: Database, http: httpx.AsyncClient, anilist: FakeAniList, tmp_path: Path) -> Watchlists:
    settings = AniListSettings(api_url=anilist.url)
    return Watchlists(database, AniList(http, settings, Tally()), KeyRing.open(tmp_path / "keyring"), settings)


@pytest.fixture
def releases(database: Database, nyaa: Nyaa, watchlists: Watchlists) -> Releases:
    return Releases(database, nyaa, watchlists)


@pytest.fixture
def show(anilist: FakeAniList) -> Media:
    """Five of twelve episodes have aired."""
    return anilist.add_media("Kage no Uta", english="Song of Shadows", next_episode=6)


async def find(releases: Releases, user: User, show: Media, episode: int, **more: int) -> Found:
    """What can be had of an episode of a show."""
    return await releases.find(user, MediaId(show.id), episode, **more)
