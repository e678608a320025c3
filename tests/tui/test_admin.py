"""The screen 6 Admin: people, invitations and sessions; and that nobody else sees any of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import PASSWORD
from tests.desks import Built, built
from tests.test_secondfactors import code_of
from tests.tui.evening import ENTER, ESCAPE, TAB
from tests.tui.office import at_admin, go_to
from tests.tui.screen import Seat
from uuutorrent.accounts import Admin, User
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.errors import Missing
from uuutorrent.factors import STEP_UP, Proof
from uuutorrent.presence import Activity, Here
from uuutorrent.signup import Newcomer
from uuutorrent.store.database import Database
from uuutorrent.tui.app import UuuApp

ONE_TIME = r"[a-z0-9]{4}(?:-[a-z0-9]{4})+"


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Built]:
    async with built(database, tmp_path) as opened:
        yield opened


# Who sees it


async def test_nobody_but_admins_is_shown_the_screen_or_finds_anything_on_it(
    house: Built, ann: User, boss: Admin
) -> None:
    async with at_admin(house, ann) as seat:
        await seat.settled()
        assert seat.app.current_mode == "watchlist"
        assert "6 Admin" not in " ".join(seat.glass.text.split())
        with seat.app._context():
            seat.app.action_show("admin")
        await seat.sees("only admins may do that")
        assert "boss" not in seat.glass.text
        seat.type("a")
        await seat.settled()
        assert "A new user" not in seat.glass.text


async def test_who_is_an_admin_no_more_sees_nothing_from_the_next_look_on(house: Built, ann: User, boss: Admin) -> None:
    accounts = house.services.accounts
    await accounts.set_role(boss, "ann", "admin")
    async with at_admin(house, await accounts.by_name("ann")) as seat:
        await go_to(seat, "boss")
        seat.type(ENTER)
        await seat.sees("What about this user?")
        await accounts.set_role(boss, "ann", "user")
        seat.type("d")
        await seat.sees("Disable boss?")
        seat.type("y")
        await seat.sees("only admins may do that")
        await seat.sees_no("● boss")
        seat.type("a")
        await seat.settled()
        assert "A new user" not in seat.glass.text
    assert (await accounts.with_password("boss", PASSWORD)).is_admin


async def test_a_code_is_asked_for_once_and_nothing_is_shown_without_it(house: Built, ann: User, boss: Admin) -> None:
    factors = house.services.second_factors
    begun = await factors.begin(boss.user)
    await factors.confirm(boss.user, code_of(begun.secret, -1), Proof())
    now = datetime.now(UTC)
    async with at_admin(house, boss.user, Here(boss.user, proof=Proof(lambda: now))) as seat:
        await seat.sees("A code, please")
        seat.type(ESCAPE)
        await seat.sees("nothing is done without a code. R asks again.")
        await seat.settled()
        assert "ann" not in seat.glass.text
        seat.type("R")
        await seat.sees("A code, please")
        await seat.settled()
        seat.type(code_of(begun.secret) + ENTER)
        await go_to(seat, "● ann")
        seat.type(ENTER + "d")
        await seat.sees("Disable ann?")
        now += STEP_UP + timedelta(seconds=1)
        seat.type("y")
        await seat.sees("A code, please")
        seat.type(ESCAPE)
        await seat.sees("nothing is done without a code")
        await house.services.accounts.with_password("ann", PASSWORD)
        seat.type("R")
        await seat.sees("A code, please")
        seat.type(ESCAPE)
        await seat.sees_no("● ann")


# Users


async def test_a_user_is_made_and_signs_in_with_what_is_shown_once(house: Built, boss: Admin) -> None:
    async with at_admin(house, boss.user) as seat:
        await seat.sees("boss")
        seat.type("a")
        await seat.sees("A new user")
        await seat.settled()
        seat.type("Carl" + ENTER)
        await seat.sees("a user name is 1 to 32")
        await seat.clears()
        seat.type("carl" + ENTER)
        await seat.sees("shown only now")
        found = re.search(ONE_TIME, seat.glass.text)
        assert found is not None
        await seat.sees("carl@seedbox")
        seat.type("k")
        await seat.sees("never")
    assert (await house.services.accounts.with_password("carl", found[0])).password_expired


async def test_who_waits_comes_first_and_is_let_in_or_rejected(house: Built, ann: User, boss: Admin) -> None:
    house.services.accounts.config.become(AccountSettings(signup="open"))
    for name in ("wendy", "zoe"):
        await house.services.signups.sign_up(Newcomer(name, password=PASSWORD))
    async with at_admin(house, boss.user, width=80, height=24) as seat:
        await seat.sees("waits for a yes")
        seat.type(ENTER)
        await seat.sees("Approve: let them in")
        seat.type("y")
        await seat.sees("wendy can sign in from now on.")
        await seat.sees("● wendy")
        await go_to(seat, "? zoe")
        seat.type(ENTER)
        await seat.sees("Reject")
        seat.type("x")
        await seat.sees("Their account is deleted.")
        seat.type("y")
        await seat.sees_no("zoe")
    assert (await house.services.accounts.with_password("wendy", PASSWORD)).name == "wendy"


async def test_a_user_is_disabled_enabled_and_given_limits_and_a_password(house: Built, ann: User, boss: Admin) -> None:
    said: list[str] = []
    house.services.presence.came(Here(ann, "192.0.2.7", hang_up=said.append))
    async with at_admin(house, boss.user) as seat:
        await go_to(seat, "ann")
        seat.type(ENTER + "d")
        await seat.sees("Disable ann?")
        seat.type("y")
        await seat.sees("○ ann")
        assert said == ["an admin disabled this account"]
        seat.type(ENTER + "e")
        await seat.sees("ann can sign in again.")
        seat.type(ENTER + "l")
        await seat.sees("What ann may")
        await seat.settled()
        seat.type("much" + ENTER)
        await seat.sees("much is no size")
        await seat.clears()
        seat.type("200 GiB" + ENTER)
        await seat.sees("200 GiB of disk")
        seat.type(ENTER + "p")
        await seat.sees("A new password for ann?")
        seat.type("y")
        await seat.sees("shown only now")
        found = re.search(ONE_TIME, seat.glass.text)
        assert found is not None
        seat.type("k")
        await seat.sees_no("shown only now")
    assert (await house.services.accounts.with_password("ann", found[0])).password_expired
    assert (await house.services.limits.of(ann)).bytes == 200 << 30


async def test_what_goes_with_a_user_is_said_before_they_are_deleted(house: Built, ann: User, boss: Admin) -> None:
    async with at_admin(house, boss.user, width=60, height=16) as seat:
        await go_to(seat, "ann")
        seat.type(ENTER + "x")
        await seat.sees("Delete ann for good?")
        await seat.sees("No files go with them.")
        seat.type(ESCAPE)
        await seat.sees_no("for good")
        await house.services.accounts.by_name("ann")
        seat.type(ENTER + "x")
        await seat.sees("Delete ann for good?")
        seat.type("x")
        await seat.settled()
        assert "Delete ann for good?" in seat.glass.text
        seat.type("y")
        await seat.sees("ann is gone.")
    with pytest.raises(Missing):
        await house.services.accounts.by_name("ann")


async def test_the_last_admin_stays(house: Built, ann: User, boss: Admin) -> None:
    async with at_admin(house, boss.user) as seat:
        await go_to(seat, "boss")
        seat.type(ENTER + "r")
        await seat.sees("boss: user from now on?")
        seat.type("y")
        await seat.sees("boss is the last admin")


# Invitations and sessions


async def test_an_invitation_is_made_shown_once_and_revoked(house: Built, boss: Admin) -> None:
    house.services.accounts.config.become(AccountSettings(signup="invite"))
    async with at_admin(house, boss.user, width=80, height=24) as seat:
        await seat.sees("boss")
        seat.type(TAB)
        await seat.sees("No invitations. a makes one.")
        for code_of_invite in (await make_invite(seat), await make_invite(seat)):
            assert code_of_invite not in seat.glass.text
        signups = house.services.signups
        await signups.sign_up(Newcomer("carl", code=code_of_invite, password=PASSWORD))
        seat.type("R")
        await seat.sees("used up")
        seat.type("j" + ENTER)
        await seat.sees("Revoke invitation 1?")
        seat.type("y")
        await seat.sees_no("open")


async def make_invite(seat: Seat[UuuApp]) -> str:
    seat.type("a")
    await seat.sees("For how many")
    await seat.settled()
    seat.type(ENTER)
    await seat.sees("shown only now")
    found = re.search(ONE_TIME, seat.glass.text)
    assert found is not None
    seat.type("k")
    await seat.sees_no("shown only now")
    return found[0]


async def test_sessions_are_shown_and_ended(house: Built, ann: User, boss: Admin) -> None:
    said: list[str] = []
    here, mine = Here(ann, "192.0.2.7", "password", hang_up=said.append), Here(boss.user, "192.0.2.8")
    here.activity = lambda: Activity(("screen", "sftp"), 5 << 20, 1000)
    for one in (here, mine):
        house.services.presence.came(one)
    async with at_admin(house, boss.user, mine) as seat:
        await seat.sees("ann")
        seat.type(TAB + TAB)
        await seat.sees("screen, sftp")
        await seat.sees("boss (you)")
        await seat.sees("5.0 MiB")
        seat.type(ENTER)
        await seat.sees("Say something on its screen")
        seat.type("x")
        await seat.sees("of ann, from 192.0.2.7?")
        seat.type("y")
        await seat.sees("Ended session")
    assert said == ["an admin ended this session"]


async def test_without_the_database_it_says_so(house: Built, database: Database, boss: Admin) -> None:
    async with at_admin(house, boss.user) as seat:
        await seat.sees("boss")
        await database.__aexit__()
        seat.type("R")
        await seat.sees("the database")
        await seat.sees("R tries again.")
