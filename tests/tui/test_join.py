"""The sign-up screen, as a stranger sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.conftest import PASSWORD
from tests.filling import at, fill
from tests.people import CHEAP_ROUNDS, a_key
from tests.tui.evening import ENTER, ESCAPE
from tests.tui.screen import Seat, seated
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.invites import Invites
from uuutorrent.publickeys import PublicKey, parse
from uuutorrent.signup import Lobby, SignUps
from uuutorrent.store.database import Database
from uuutorrent.tui.join import JoinApp, JoinDialog
from uuutorrent.tui.pace import Studio
from uuutorrent.tui.terminal import TerminalInfo


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The screen does not care which database there is."""
    return sqlite_url


@pytest.fixture
def invites(database: Database) -> Invites:
    return Invites(database)


@pytest.fixture
def signups(database: Database, invites: Invites) -> SignUps:
    return SignUps(database, Accounts(database, AccountSettings(signup="invite"), rounds=CHEAP_ROUNDS), invites)


@asynccontextmanager
async def joining(
    signups: SignUps, offered: PublicKey | None = None, *, width: int = 80, height: int = 24
) -> AsyncIterator[Seat[JoinApp]]:
    lobby = Lobby(signups, offered, reach=lambda name: f"ssh {name}@box", wrong_codes=3, refusal_s=0.01)
    studio = Studio()
    async with seated(lambda t: JoinApp(lobby, t, studio), TerminalInfo(width=width, height=height)) as seat:
        await seat.sees("⏎ Done")
        yield seat
        assert not seat.app.broke


async def fills(seat: Seat[JoinApp], **typed: str) -> None:
    await fill(seat.app, seat.type, lambda true: seat.until(true, "the line to type at"), **typed)


async def test_a_name_is_checked_as_it_is_typed(signups: SignUps) -> None:
    async with joining(signups) as seat:
        seat.type(ENTER)
        await seat.until(lambda: at(seat.app) == "name", "the name to be typed")
        seat.type("Kim!")
        await seat.sees("A name is 1 to 32 of a-z")
        seat.type("\x15kim")
        await seat.sees("You will be kim here, if nobody else is.")


async def test_no_key_opens_anything_but_the_form(signups: SignUps) -> None:
    async with joining(signups) as seat:
        seat.type("\x10\x0c\x1a\x1bOP" + ENTER)  # Ctrl+P, Ctrl+L, Ctrl+Z, F1
        await seat.until(lambda: at(seat.app) == "name", "the name to be typed")
        assert isinstance(seat.app.screen, JoinDialog)


async def test_how_good_a_password_is_is_shown_in_a_bar_and_in_words(signups: SignUps) -> None:
    async with joining(signups) as seat:
        seat.app.screen.query_one("#password").focus()
        await seat.until(lambda: at(seat.app) == "password", "the password to be typed")
        seat.type("kim")
        await seat.sees("▰▱▱▱ very weak: at least 10 characters")
        seat.type("kimkimkim")
        await seat.sees("very weak: try four unrelated words")
        seat.type("\x15" + PASSWORD)
        await seat.sees("▰▰▰▰ strong")
        assert PASSWORD not in seat.glass.text_sent


async def test_two_passwords_that_differ_are_typed_again(signups: SignUps) -> None:
    async with joining(signups) as seat:
        await fills(seat, name="kim", password=PASSWORD, again="other")
        await seat.sees("the password and its repetition differ")
        await fills(seat, password=PASSWORD, again=PASSWORD)
        await seat.sees("type the code of your invitation")


async def test_what_is_refused_is_said_and_typed_again_where_it_was_typed(
    signups: SignUps, invites: Invites, ann: User
) -> None:
    _, code = await invites.create(Operator())
    async with joining(signups, parse(a_key())) as seat:
        await fills(seat, code="nope", name="ann")
        await seat.sees("that invitation code is not valid")
        await fills(seat, code=code)
        await seat.sees("that name cannot be had: choose another")
        await fills(seat, name="kim")
        await seat.until(lambda: bool(seat.app.farewell), "an end")
        assert seat.app.farewell == "Welcome, kim. You can now sign in: ssh kim@box"


async def test_enter_pressed_twice_makes_one_account_and_loses_no_answer(
    signups: SignUps, invites: Invites, accounts: Accounts
) -> None:
    _, code = await invites.create(Operator(), uses=5)
    async with joining(signups, parse(a_key())) as seat:
        await fills(seat, code=code, name="kim", key=" " + ENTER + ENTER + ENTER)
        await seat.until(lambda: bool(seat.app.farewell), "an end")
    assert (await invites.list(Operator()))[0].uses_left == 4
    assert len(await accounts.keys(await accounts.by_name("kim"))) == 1


async def test_the_key_one_came_with_is_not_taken_when_its_box_is_not_ticked(
    signups: SignUps, invites: Invites, accounts: Accounts
) -> None:
    _, code = await invites.create(Operator())
    async with joining(signups, parse(a_key()), width=110) as seat:
        await seat.sees("[x] ed25519 SHA256:")
        await fills(seat, code=code, name="kim", offered=" ")
        await seat.sees("[ ] ed25519 SHA256:")
        await seat.sees("choose a password, or give a key that signs you in")
        await fills(seat, password=PASSWORD, again=PASSWORD)
        await seat.until(lambda: bool(seat.app.farewell), "an end")
    assert await accounts.keys(await accounts.with_password("kim", PASSWORD)) == ()


async def test_escape_leaves(signups: SignUps) -> None:
    async with joining(signups, width=60, height=16) as seat:
        seat.type(ESCAPE)
        assert seat.ended is not None
        await seat.until(seat.ended.done, "the end")
