"""An evening of somebody's: their services, what is outside, and a seat at a terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from tests.fakes import FakeEngine
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Entry, Member
from tests.servers.nyaa import FakeNyaa
from tests.tui.screen import Seat, seated
from uuutorrent.accounts import User
from uuutorrent.desk import Services
from uuutorrent.torrents.engine import InfoHash
from uuutorrent.torrents.grab import GrabState
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.pace import Studio
from uuutorrent.tui.terminal import TerminalInfo

ESCAPE, ENTER, TAB = "\x1b", "\r", "\t"


@dataclass
class Evening:
    services: Services
    engine: FakeEngine
    anilist: FakeAniList
    nyaa: FakeNyaa
    ann: User
    member: Member

    @asynccontextmanager
    async def sit(
        self, *, width: int = 100, height: int = 30, as_: User | None = None, env: Mapping[str, str] | None = None
    ) -> AsyncIterator[Seat[UuuApp]]:
        """Ann at her terminal, with the watchlist on it."""
        desk = self.services.desk(as_ or self.ann)
        studio = Studio()
        async with seated(
            lambda t: UuuApp(desk, t, studio), TerminalInfo(width=width, height=height, env=env or {})
        ) as seat:
            await seat.sees("? Help")
            await seat.settled()
            yield seat
            assert not seat.app.broke

    def entry(self, media_id: int) -> Entry:
        """What AniList has of Ann's show."""
        entry = self.anilist.entry(self.member, self.anilist.data.media[media_id])
        assert entry is not None
        return entry

    async def fetch(self, media_id: int, episode: int, *, by: User | None = None) -> InfoHash:
        """Have an episode fetched, without a screen."""
        grab = await self.services.grabs.get(by or self.ann, media_id, episode)
        assert grab.state is GrabState.ADDED, grab.reason
        assert grab.infohash is not None
        return InfoHash(grab.infohash)

    async def without_link(self) -> None:
        """From now on Ann keeps her list here."""
        await self.services.watchlists.unlink(self.ann)

    def expired(self) -> User:
        """Ann, as she is after signing in with a one-time password."""
        return replace(self.ann, password_expired=True)


def paste(seat: Seat[UuuApp], text: str) -> None:
    """Paste, as a terminal with bracketed paste sends it."""
    seat.type(f"\x1b[200~{text}\x1b[201~")
