"""See as: an admin looks at what somebody else sees, everything of it, and nothing at all is changed by that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.conftest import PASSWORD
from tests.desks import Built, built
from tests.people import OTHER, a_key, refusal
from tests.servers.anilist import FakeAniList
from tests.servers.nyaa import FakeNyaa
from tests.tui.seeing import at_office
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.feeds.rule import Saving, Terms
from uuutorrent.automation.inbox.notice import Kind
from uuutorrent.automation.preferences import Mode
from uuutorrent.errors import Conflict, Missing, Refused
from uuutorrent.presence import Here
from uuutorrent.secondfactors import WRONG_CODES
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.onlooking import only_looking
from uuutorrent.store.tables import Base
from uuutorrent.torrents.engine import Tracker

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
            assert not [(keys, one) for keys, one in said.items() if SECRET in one]
        assert tried >= 20
    assert await everything(database, house) == before
    assert SECRET not in seat.glass.text_sent


async def test_looking_is_noted_with_who_at_whom_from_where_and_ends_where_it_began(house: Built, boss: Admin) -> None:
    async with at_office(house, boss.user) as seat:
        await seat.see("ann")
        assert "6 Admin" not in seat.glass.text
        assert [one.ip for one in house.services.presence.every(boss)] == ["192.0.2.1"]
        seat.type("4")
        await seat.sees("Episode 12 is here.")
        seat.type("q")
        await seat.sees("May: as configured for everybody")
        seat.type("1")
        await seat.sees("Nothing here yet.")
        seat.type("6")
        await seat.sees("May: as configured for everybody")
        assert (seat.app.looks_at, seat.app.current_mode) == ("", "admin")
        began, ended = await acts(house, boss)
        assert began == "boss ann began 192.0.2.1"
        assert ended.startswith("boss ann ended after ")
    assert (await house.services.accounts.users(boss))[0].last_seen_at is None


@pytest.mark.parametrize("how", ["disable", "demote", "delete"])
async def test_looking_ends_with_the_right_to_it_or_with_whom_it_is_at(
    house: Built, accounts: Accounts, boss: Admin, how: str
) -> None:
    await accounts.create(Operator(), "carl", role="admin")
    async with at_office(house, boss.user) as seat:
        await seat.see("ann")
        if how == "disable":
            await accounts.disable(Operator(), "boss")
        elif how == "demote":
            await accounts.set_role(Operator(), "boss", "user")
        else:
            await accounts.delete(Operator(), "ann")
        await seat.sees("ann is gone" if how == "delete" else "only admins may do that")
        await seat.sees_no("You see what ann sees")
        assert "Frieren" not in seat.glass.text


async def test_who_is_no_admin_looks_at_nobody(house: Built, ann: User, boss: Admin) -> None:
    async with at_office(house, ann) as seat:
        await seat.press("6")
        assert seat.app.current_mode == "watchlist"
    desk = house.services.desk(boss.user)
    with pytest.raises(Missing):
        await desk.see(boss, "nobody")
    with pytest.raises(Conflict):
        await desk.see(boss, "boss")
    await house.services.accounts.set_role(Operator(), "ann", "admin")
    await house.services.accounts.set_role(Operator(), "boss", "user")
    with pytest.raises(Refused):
        await desk.see(boss, "ann")
    assert await acts(house, await house.services.accounts.admin(ann)) == []


async def test_from_where_one_only_looks_nothing_is_written_and_afterwards_it_is(
    house: Built, database: Database, ann: User, boss: Admin
) -> None:
    desk, before = await house.services.desk(boss.user).see(boss, "ann"), await everything(database, house)
    (held, *_) = await house.services.library.holdings(ann)
    unseen = await house.services.inbox.unseen(ann)
    theirs = Here(ann, hang_up=lambda _: pytest.fail("ann's session was ended"))
    house.services.presence.came(theirs)
    its = Tracker(f"https://ann@tracker.example:8080/{SECRET}/announce", "working", 1, 1, "")
    house.engine.trackers_of[held.infohash] = (its,)
    with only_looking("ann"):
        assert held in await desk.library.holdings(ann)
        for refused in (
            desk.grabs.get(ann, MediaId(1), 12),
            desk.library.pause(ann, held.infohash),
            desk.library.delete(ann, held.infohash, with_files=True),
            desk.watchlists.set_progress(ann, MediaId(1), 3),
            desk.inbox.see(ann, None),
            desk.accounts.set_password(ann, PASSWORD, OTHER),
            *(desk.second_factors.proves(ann, "123456") for _ in range(WRONG_CODES)),
            desk.library.add_given(ann, "http://127.0.0.1:9/asked.torrent"),
            desk.accounts.seen(ann),
            desk.accounts.add_key(ann, a_key("new")),
            desk.second_factors.begin(ann),
            desk.channels.test(ann, 1),
            desk.audit.tell(boss, "nothing"),
            desk.admin(),
        ):
            assert await refusal(refused) == "you only look at what ann sees: nothing can be changed"
        with pytest.raises(Refused):
            desk.presence.end_others(desk.here)
        (tracker,) = (await desk.library.details(ann, held.infohash)).trackers
        assert tracker.url == "https://tracker.example:8080/…"
    assert not await desk.second_factors.proves(ann, "123456")
    assert await everything(database, house) == before
    assert await house.services.inbox.see(ann, None) == unseen > 0
