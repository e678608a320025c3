"""The screen 6 Admin: what is blocked, what people say of releases, tastes of others; and messages to who is here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.desks import Built, built
from tests.servers.anilist import FakeAniList
from tests.tui.evening import ENTER, ESCAPE
from tests.tui.office import at_admin, go_to, turn_to
from tests.tui.screen import seated
from uuutorrent.accounts import Admin, User
from uuutorrent.anime.anime import MediaId
from uuutorrent.presence import Here
from uuutorrent.releases.release import Correction, Form
from uuutorrent.store.database import Database
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.shell import MOST_MESSAGES

ONE, OTHER = "a" * 40, "ab" * 20


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Built]:
    with FakeAniList() as anilist:
        anilist.add_media("Dandadan", id=2, episodes=12)
        async with built(database, tmp_path, anilist_url=anilist.url) as opened:
            yield opened


async def test_a_release_is_blocked_for_everybody_found_and_let_go(house: Built, ann: User, boss: Admin) -> None:
    blocks, until = house.services.releases.blocks, datetime.now(UTC) + timedelta(days=9)
    await blocks.block(ann.id, ONE, title="[Aye] Show - 01", reason="no byte came", until=until)
    async with at_admin(house, boss.user) as seat:
        await turn_to(seat, "Blocks")
        await seat.sees("no byte came")
        seat.type("a")
        await seat.sees("Block a release for everybody")
        await seat.settled()
        seat.type(OTHER + ENTER)
        await seat.sees("say why")
        await seat.settled()
        seat.type("a virus" + ENTER)
        await seat.sees("Nobody is given it by itself")
        await seat.sees("everybody")
        seat.type("/")
        await seat.sees("With these words")
        await seat.settled()
        seat.type("AYE ann" + ENTER)
        await seat.sees("only: AYE ann")
        await seat.sees_no("a virus")
        await go_to(seat, "[Aye] Show - 01")
        seat.type(ENTER)
        await seat.sees("End the block of ann")
        seat.type("e")
        await seat.sees("It may be picked again for ann.")
        seat.type("y")
        await seat.sees_no("› [Aye] Show - 01")
    assert list(await blocks.active(ann)) == [OTHER]


async def test_a_block_of_one_becomes_everybodys(house: Built, ann: User, bob: User, boss: Admin) -> None:
    blocks, until = house.services.releases.blocks, datetime.now(UTC) + timedelta(days=9)
    await blocks.block(ann.id, ONE, title="[Aye] Show - 01", reason="a virus", until=until)
    async with at_admin(house, boss.user) as seat:
        await turn_to(seat, "Blocks")
        await go_to(seat, "[Aye] Show - 01")
        seat.type(ENTER + "b")
        await seat.sees("Block a release for everybody")
        await seat.settled()
        seat.type(ENTER)
        await seat.sees("Nobody is given it by itself")
    assert list(await blocks.active(bob)) == [ONE]


async def test_a_correction_is_accepted_for_all_and_rejected_for_all(
    house: Built, ann: User, bob: User, boss: Admin
) -> None:
    corrections = house.services.releases.corrections
    said = Correction(Form.OFFSET, MediaId(2), group="Aye", offset=24)
    await corrections.make(ann, said)
    async with at_admin(house, boss.user) as seat:
        await turn_to(seat, "Corrections")
        await seat.sees("Dandadan")
        await seat.sees("Accepted by ann; 0 persons declined")
        await go_to(seat, "Dandadan")
        seat.type(ENTER)
        await seat.sees("Accept: let it count for everybody")
        seat.type("e")
        await seat.sees("Accept it for everybody?")
        seat.type("y")
        await seat.sees("It is accepted for everybody.")
        assert await corrections.lore_of(bob, MediaId(2)) == (said,)
        seat.type(ENTER)
        await seat.sees("Reject: delete it")
        seat.type("x")
        await seat.sees("Reject this correction?")
        seat.type("x" + ESCAPE)
        await seat.settled()
        assert await corrections.mine(ann)
        seat.type(ENTER + "x")
        await seat.sees("Reject this correction?")
        seat.type("y")
        await seat.sees("Nobody corrected anything.")
    assert await corrections.mine(ann) == ()
    assert await corrections.lore_of(bob, MediaId(2)) == ()


async def test_an_admin_settles_somebodys_taste(house: Built, ann: User, boss: Admin) -> None:
    async with at_admin(house, boss.user) as seat:
        await go_to(seat, "● ann")
        seat.type(ENTER)
        await seat.sees("Taste: what they are given")
        seat.type("t")
        await seat.sees("What ann likes among releases")
        await seat.settled()
        await seat.clears()
        seat.type("720" + ENTER)
        await seat.sees("That is what ann likes, until they change it.")
    assert (await house.services.releases.tastes.of(ann)).resolutions == (720,)
    assert (await house.services.releases.tastes.of(boss.user)).resolutions != (720,)


async def test_a_message_stands_on_the_screen_it_is_for(house: Built, ann: User, boss: Admin) -> None:
    async with seated(lambda terminal: UuuApp(house.services.desk(ann), terminal)) as anns:
        await anns.sees("? Help")

        def hear(sentence: str) -> bool:
            anns.app.announce(sentence)
            return True

        house.services.presence.came(Here(ann, "192.0.2.5", say=hear))
        async with at_admin(house, boss.user) as seat:
            await turn_to(seat, "Sessions")
            await go_to(seat, "ann")
            seat.type(ENTER)
            await seat.sees("Say something on its screen")
            seat.type("m")
            await seat.sees("Say something to ann")
            await seat.settled()
            seat.type("[b]Back[/b] at 8" + ENTER)
            await seat.sees("It stands on the screen of ann")
            seat.type(ENTER + "a")
            await seat.sees("Say something to everybody")
            await seat.settled()
            seat.type("Good night" + ENTER)
            await seat.sees("It stands on 1 screen now.")
        await anns.sees("From the admins")
        await anns.sees("[b]Back[/b] at 8")
        await anns.sees("Good night")
        for number in range(9):
            anns.app.announce(f"Said {number}")
        await anns.sees("Said 8")
        assert anns.glass.text.count("From the admins") <= MOST_MESSAGES
