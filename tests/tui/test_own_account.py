"""Second factor, sessions, and leaving for good, on the screen 5 Account; and codes that admins' acts ask for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import PASSWORD
from tests.desks import built
from tests.people import OTHER, a_key
from tests.test_secondfactors import code_of
from tests.tui.evening import ENTER, ESCAPE, Evening, paste
from tests.tui.screen import Seat, seated
from tests.tui.test_account import open_row, type_passwords
from uuutorrent.accounts import Admin, User
from uuutorrent.desk import Desk
from uuutorrent.errors import Missing
from uuutorrent.factors import STEP_UP, Proof
from uuutorrent.presence import Activity, Here
from uuutorrent.store.database import Database
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.terminal import TerminalInfo


@asynccontextmanager
async def sitting(desk: Desk, *, width: int = 100, height: int = 30) -> AsyncIterator[Seat[UuuApp]]:
    """Somebody at their terminal, whatever it shows first."""
    async with seated(lambda terminal: UuuApp(desk, terminal), TerminalInfo(width=width, height=height)) as seat:
        yield seat
        assert not seat.app.broke


def secret_on(seat: Seat[UuuApp]) -> str:
    """The secret as it can be typed, in groups of four."""
    return "".join(re.findall(r"(?<!\S)[A-Z2-7]{4}(?!\S)", seat.glass.text))


@pytest.mark.parametrize(("width", "height"), [(110, 32), (80, 24)])
async def test_a_second_factor_is_set_up_with_a_code_for_the_camera(evening: Evening, width: int, height: int) -> None:
    async with evening.sit(width=width, height=height) as seat:
        await open_row(seat, "Second factor")
        await seat.sees("2 Type the six digits")
        assert sum("▀" in row or "▄" in row for row in seat.glass.lines) >= 16
        secret = secret_on(seat)
        assert len(secret) == 32
        await seat.settled()
        seat.type("000000" + ENTER)
        await seat.sees("that code is not right")
        seat.type(code_of(secret) + ENTER)
        await seat.sees("Your recovery codes")
        seat.type(ESCAPE)
        await seat.sees("keep them, then press k")
        seat.type("k")
        await seat.sees("Your second factor is on.")
        await seat.sees("on · 12 recovery codes left")
    assert (await evening.services.second_factors.of(evening.ann)).is_on


async def test_where_the_code_for_the_camera_has_no_room_the_secret_is_typed_into_the_app(evening: Evening) -> None:
    async with evening.sit(width=60, height=16) as seat:
        seat.type("5")
        await seat.sees("Second factor none")
        seat.type(3 * "\x1b[B" + ENTER)
        await seat.sees("2 Type the six digits")
        await seat.sees("123456")
        secret = secret_on(seat)
        assert len(secret) == 32
        await seat.settled()
        seat.type("000000" + ENTER)
        await seat.sees("that code is not right")
        seat.type(code_of(secret) + ENTER)
        await seat.sees("Your recovery codes")
        await seat.sees("I have kept them")


async def test_recovery_codes_are_made_anew_and_the_factor_is_switched_off_with_a_code(evening: Evening) -> None:
    factors, ann = evening.services.second_factors, evening.ann
    begun = await factors.begin(ann)
    codes = await factors.confirm(ann, code_of(begun.secret, -1), Proof())
    async with evening.sit() as seat:
        await open_row(seat, "Second factor")
        await seat.sees("It is on. 12 recovery codes are left.")
        seat.type("r")
        await seat.sees("New recovery codes")
        await seat.settled()
        seat.type(codes[0] + ENTER)
        await seat.sees("Each of them works once")
        assert codes[1] not in seat.glass.text
        seat.type("k")
        await seat.sees("on · 12 recovery codes left")
        seat.type(ENTER)
        await seat.sees("It is on.")
        seat.type("x")
        await seat.sees("Switch your second factor off")
        await seat.settled()
        seat.type(codes[1] + ENTER)
        await seat.sees("that code is not right")
        seat.type(code_of(begun.secret) + ENTER)
        await seat.sees("Your second factor is off.")
    assert not (await factors.of(ann)).is_on


async def test_sessions_are_seen_and_ended(evening: Evening, bob: User) -> None:
    presence = evening.services.presence
    key = await evening.services.accounts.add_key(evening.ann, a_key("ann@phone"))
    said: list[str] = []
    here = Here(evening.ann, "192.0.2.7", "password")
    activity = Activity(("sftp",), 5 << 20)
    other = Here(evening.ann, "192.0.2.8", "publickey", key.fingerprint, lambda: activity, said.append)
    for one in (here, other, Here(bob, "192.0.2.99", "password")):
        presence.came(one)
    async with sitting(evening.services.desk(evening.ann, here)) as seat:
        await seat.sees("? Help")
        await open_row(seat, "Sessions")
        await seat.sees("here: password")
        await seat.sees("ann@phone")
        await seat.sees("5.0 MiB")
        assert "192.0.2.99" not in seat.glass.text
        seat.type("x")
        await seat.sees("End this session?")
        seat.type("x")
        await seat.sees("that is the session you are in")
        seat.type("jx")
        await seat.sees("ann@phone from 192.0.2.8")
        seat.type("x")
        await seat.until(lambda: len(said) == 1, "the end of the session")
        presence.left(other)
        await seat.sees_no("ann@phone")


async def test_leaving_tells_what_is_lost_and_takes_name_and_password(evening: Evening, bob: User) -> None:
    await evening.fetch(1, 13)
    await evening.fetch(1, 14)
    await evening.services.watchlists.unlink(evening.ann)
    await evening.fetch(1, 14, by=bob)
    async with evening.sit() as seat:
        await open_row(seat, "Leave")
        await seat.sees("1 torrent of yours (1.3 GiB) and their files go")
        await seat.sees("Others claim 1 torrent of yours too")
        await seat.settled()
        seat.type("bob" + ENTER)
        await seat.sees("type your own name, ann")
        await seat.clears()
        seat.type("ann\x1b[B")
        await seat.settled()
        seat.type("wrong" + ENTER)
        await seat.sees("the password is wrong")
        assert "wrong" not in seat.glass.text.replace("the password is wrong", "")
        await seat.clears()
        seat.type(PASSWORD + ENTER)
        await seat.end()
        assert seat.app.farewell == "Your account is deleted. What only you had goes within a minute."
    with pytest.raises(Missing):
        await evening.services.accounts.by_name("ann")
    assert len(await evening.services.library.of(bob)) == 1


async def test_leaving_with_a_second_factor_takes_a_code_in_that_session(evening: Evening) -> None:
    factors, ann = evening.services.second_factors, evening.ann
    begun = await factors.begin(ann)
    await factors.confirm(ann, code_of(begun.secret, -1), Proof())
    async with evening.sit() as seat:
        await open_row(seat, "Leave")
        await seat.sees("A code, please")
        seat.type(ESCAPE)
        await seat.sees_no("A code, please")
        seat.type(ENTER)
        await seat.sees("A code, please")
        await seat.settled()
        seat.type(code_of(begun.secret) + ENTER)
        await seat.sees("Your user name")
        assert "Your password" not in seat.glass.text
        await seat.settled()
        seat.type("ann" + ENTER)
        await seat.end()
    with pytest.raises(Missing):
        await evening.services.accounts.by_name("ann")


# What only admins may


async def test_what_only_admins_may_asks_for_a_code_in_this_session_and_goes_on(evening: Evening, boss: Admin) -> None:
    await evening.fetch(1, 13)
    factors = evening.services.second_factors
    begun = await factors.begin(boss.user)
    await factors.confirm(boss.user, code_of(begun.secret, -1), Proof())
    now = datetime.now(UTC)
    here = Here(boss.user, proof=Proof(lambda: now))
    async with sitting(evening.services.desk(boss.user, here)) as seat:
        await seat.sees("? Help")
        seat.type("2")
        await seat.sees("No torrents yet.")
        seat.type("A")
        await seat.sees("A code, please")
        seat.type(ESCAPE)
        await seat.sees("nothing is done without a code")
        await seat.sees("No torrents yet.")
        seat.type("A")
        await seat.sees("A code, please")
        await seat.settled()
        seat.type(code_of(begun.secret) + ENTER)
        await seat.sees("everybody's")
        await seat.sees("Sousou no Frieren - 13")
        now += STEP_UP + timedelta(seconds=1)
        seat.type("1")
        await seat.settled()
        seat.type("2")
        await seat.sees("These are your own torrents again.")
        await seat.sees("No torrents yet.")


async def test_who_is_no_admin_is_asked_for_nothing(evening: Evening) -> None:
    async with evening.sit() as seat:
        seat.type("2A")
        await seat.settled()
        assert "A code, please" not in seat.glass.text


# What comes before all else


async def test_where_a_second_factor_is_needed_nothing_comes_before_it(
    database: Database, tmp_path: Path, ann: User
) -> None:
    async with built(database, tmp_path, accounts={"second_factor": "everyone"}) as house:
        async with sitting(house.services.desk(ann), width=80, height=24) as seat:
            await seat.sees("You need a second factor")
            for key in ("2", "5", "?", "\x10"):
                seat.type(key)
            await seat.settled()
            assert seat.app.current_mode == "watchlist"
            assert "You need a second factor" in seat.glass.text
            await seat.clears()
            seat.type(code_of(secret_on(seat)) + ENTER)
            await seat.sees("Your recovery codes")
            seat.type("k")
            await seat.sees_no("Your recovery codes")
            seat.type("5")
            await seat.sees("on · 12 recovery codes left")
        async with sitting(house.services.desk(ann)) as seat:
            await seat.sees("? Help")
            assert "You need a second factor" not in seat.glass.text


async def test_who_does_not_want_one_can_only_leave(database: Database, tmp_path: Path, ann: User) -> None:
    needs = built(database, tmp_path, accounts={"second_factor": "everyone"})
    async with needs as house, sitting(house.services.desk(ann)) as seat:
        await seat.sees("You need a second factor")
        seat.type(ESCAPE)
        await seat.end()


async def test_nobody_gets_past_it_because_the_database_is_away(database: Database, tmp_path: Path, ann: User) -> None:
    async with built(database, tmp_path, accounts={"second_factor": "everyone"}) as house:
        desk = house.services.desk(ann)
        await database.__aexit__()
        async with sitting(desk) as seat:
            await seat.end()
            assert seat.app.return_code == 75
            assert "the database" in seat.app.farewell


async def test_an_admins_first_time_from_outside_ends_with_a_key(
    database: Database, tmp_path: Path, boss: Admin
) -> None:
    first_time = replace(boss.user, password_expired=True)
    here = Here(first_time, "203.0.113.9", "password")
    async with built(database, tmp_path, accounts={"second_factor": "admins"}) as house:
        async with sitting(house.services.desk(first_time, here)) as seat:
            await seat.sees("Welcome! First, a password of your own")
            await type_passwords(seat, PASSWORD, OTHER, OTHER)
            await seat.sees("admins sign in with a key only")
            await seat.settled()
            paste(seat, a_key("boss@laptop"))
            seat.type(ENTER)
            await seat.sees("boss@laptop signs you in from now on.")
            await seat.sees("You need a second factor")
        assert [key.comment for key in await house.services.accounts.keys(boss.user)] == ["boss@laptop"]
