"""See as: an admin looks at what somebody else sees, everything of it, and nothing at all is changed by that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.desks import Built, built
from tests.people import a_key
from tests.servers.anilist import FakeAniList
from tests.servers.nyaa import FakeNyaa
from tests.tui.seeing import at_office
from uuutorrent.accounts import Admin, User
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.feeds.rule import Saving, Terms
from uuutorrent.automation.inbox.notice import Kind
from uuutorrent.automation.preferences import Mode
from uuutorrent.presence import Here
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.tables import Base

SECRET = "s3cr3t-t0k3n"
SCREENS = ("watchlist", "torrents", "feeds", "inbox", "account")
THE_DAEMONS = {"audit", "last_lists", "habits", "meters"}
"""What is written on the way by nobody: the audit, what AniList and the index said, for all who ask the same."""


@pytest.fixture
async def house(database: Database, tmp_path: Path, ann: User) -> AsyncIterator[Built]:
    """Ann has something of everything."""
    with FakeAniList() as anilist, FakeNyaa() as nyaa:
        for media_id, title in ((1, "Sousou no Frieren"), (2, "Dandadan")):
            anilist.add_media(title, id=media_id, episodes=28, next_episode=17, airs_in=timedelta(days=2))
        member = anilist.add_user("frieren-fan")
        anilist.list_entry(member, anilist.data.media[1], progress=12)
        anilist.list_entry(member, anilist.data.media[2], progress=4)
        for number in (12, 13, 14):
            nyaa.post(f"[SubsPlease] Sousou no Frieren - {number} (1080p) [ABCD12{number}].mkv", seeders=900)
        async with built(database, tmp_path, anilist_url=anilist.url, nyaa_url=nyaa.url) as opened:
            services = opened.services
            await services.watchlists.link(ann, member.token)
            await services.accounts.add_key(ann, a_key())
            for episode in (13, 14):
                await services.grabs.get(ann, MediaId(1), episode)
            await services.feeds.add(ann, f"https://feeds.example/rss?passkey={SECRET}", Terms(), Saving(daily=5))
            await services.inbox.tell(ann.id, Kind.FINISHED, "Episode 12 is here.", key="one")
            choices = ("yes", "no")
            await services.inbox.tell(
                ann.id, Kind.WATCHED, "Did you?", key="watched:2:5", media_id=2, episode=5, choices=choices
            )
            await services.channels.add(ann, f"json://ann:{SECRET}@127.0.0.1:9/{SECRET}")
            until = datetime.now(UTC) + timedelta(days=9)
            await services.releases.blocks.block(ann.id, "ab" * 20, title="Bad", reason="dead", until=until)
            await services.autopilot.set_show(ann, MediaId(2), Mode.ASK)
            yield opened


async def everything(database: Database, house: Built) -> dict[str, object]:
    """All rows of all tables, and what the engine was told to do."""
    rows: dict[str, object] = {}
    async with database.begin(SYSTEM) as tx:
        for table in Base.metadata.sorted_tables:
            if table.name not in THE_DAEMONS:
                rows[table.name] = sorted(map(repr, await tx.execute(select(table))))
    return {**rows, "engine": list(house.engine.calls), "torrents": sorted(map(repr, await house.engine.torrents()))}


async def acts(house: Built, boss: Admin) -> list[str]:
    await house.services.audit.write_once()
    notes = await house.services.audit.search(boss, "users see")
    return [f"{one.who} {one.target} {one.detail} {one.source}" for one in reversed(notes)]


async def test_every_key_of_every_screen_changes_nothing(
    house: Built, database: Database, ann: User, boss: Admin
) -> None:
    theirs = Here(ann, "192.0.2.50", hang_up=lambda _: pytest.fail("ann's session was ended"))
    house.services.presence.came(theirs)
    before = await everything(database, house)
    async with at_office(house, boss.user) as seat:
        await seat.see("ann")
        tried = 0
        for mode in SCREENS:
            said = await seat.press_everything(mode)
            assert len(said) >= 5, said.keys()
            assert seat.app.looks_at == "ann"
            tried += sum("you only look at what ann sees" in " ".join(one.split()) for one in said.values())
            leaks = [(keys, one) for keys, one in said.items() if SECRET in one]
            print(*leaks[:1][0] if leaks else "")
            assert not leaks
        assert tried >= 20
    assert await everything(database, house) == before
    assert SECRET not in seat.glass.text_sent
