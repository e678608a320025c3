"""A release index and a watchlist in memory, for tests of what is built on them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.anime.anime import Anime, Family, MediaId, WatchEntry, WatchStatus
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.errors import Missing
from uuutorrent.releases.release import Found, Kind, Match, Ranked, Release, ReleaseName, Wanted
from uuutorrent.releases.search import Releases
from uuutorrent.torrents.metainfo import parse_torrent

FRIEREN = Anime(
    MediaId(154587), "Sousou no Frieren", "Frieren", "", "Sousou no Frieren", status="FINISHED", episodes=28
)


def family() -> Family:
    return Family(FRIEREN, offset=0, season=1)


class Shelf(Watchlists):
    """Everybody's watchlist: one show, so far watched."""

    def __init__(self) -> None:
        self.progress = 0
        self.listed = True
        self.anime_now = FRIEREN

    async def family(self, media_id: MediaId, *, fresh: bool = True) -> Family:
        if media_id != FRIEREN.media_id:
            raise Missing("AniList knows no such anime.")
        return family()

    async def entry(self, user: User, media_id: MediaId) -> WatchEntry | None:
        return WatchEntry(self.anime_now, WatchStatus.CURRENT, self.progress) if self.listed else None


class Index(Releases):
    """An index that has every episode once, and what a test adds. `before` and `after` are called around each call."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.extra: list[Ranked] = []
        self.finds = 0
        self.has_best = True
        self.has_singles = True
        self.before: Callable[[str], None] = lambda _: None
        self.after: Callable[[str], None] = lambda _: None

    def post(self, raw: bytes, title: str, *, kind: Kind = Kind.EPISODE, link: str | None = None) -> Ranked:
        """A candidate whose .torrent is `raw`; a batch is one where its kind says so."""
        content = parse_torrent(raw)
        self.files[content.infohash] = raw
        release = Release(
            title=title, infohash=content.infohash, link=link or f"https://index/{content.infohash}.torrent", page="",
            size_bytes=content.size_bytes, seeders=5, leechers=0, downloads=0, category="1_2", trusted=False,
            remake=False, posted_at=datetime.now(UTC),
        )  # fmt: skip
        name = ReleaseName(title, "Frieren", kind=kind)
        return Ranked(release, name, Match.MATCH, 1.0, ("it fits",), is_batch=kind is Kind.BATCH)

    def episode(self, episode: int, size: int = 1000) -> Ranked:
        title = f"[Group] Frieren - {episode:02}.mkv"
        return self.post(metainfos.single(title, size), title)

    async def find(
        self, user: User, media_id: MediaId, episode: int, *, quality: int | None = None, max_age_s: float | None = None
    ) -> Found:
        self.finds += 1
        self.before("find")
        candidates = (*self.extra, self.episode(episode)) if self.has_singles else tuple(self.extra)
        self.after("find")
        return Found(
            wanted=Wanted(family(), episode),
            best=candidates[0] if self.has_best else None,
            candidates=candidates if self.has_best else (),
            said="Chosen: it fits." if self.has_best else "Nothing on the index is this episode.",
            search_ms=1.0,
            rank_ms=0.5,
        )

    async def torrent_file(self, release: Release) -> bytes:
        self.before("torrent_file")
        return self.files[release.infohash]
