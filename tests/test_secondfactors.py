from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import text

from tests.clock import Clock
from uuutorrent.accounts import Accounts, Admin, User
from uuutorrent.errors import Conflict, Invalid, Missing, Refused
from uuutorrent.factors import STEP_S, StepUp
from uuutorrent.secondfactors import FORGOTTEN_S, WRONG_CODES, SecondFactors
from uuutorrent.store.database import Database
from uuutorrent.store.sealed import KeyRing


@pytest.fixture
def keyring(tmp_path: Path) -> KeyRing:
    return KeyRing.open(tmp_path / "keyring")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def factors(database: Database, keyring: KeyRing, accounts: Accounts, clock: Clock) -> SecondFactors:
    return SecondFactors(database, keyring, accounts, clock=clock)


def code_of(secret: str, steps: int = 0) -> str:
    """What an app shows now, or so many steps later."""
    return pyotp.TOTP(secret).generate_otp(int(time.time()) // STEP_S + steps)


async def on(factors: SecondFactors, user: User) -> tuple[str, tuple[str, ...]]:
    """Switch it on; the secret and the recovery codes. The code of a step ago is used up by that."""
    begun = await factors.begin(user)
    return begun.secret, await factors.confirm(user, code_of(begun.secret, -1))


async def test_it_asks_for_nothing_before_a_first_code_was_right(factors: SecondFactors, ann: User) -> None:
    begun = await factors.begin(ann)
    assert begun.uri.startswith("otpauth://totp/uuutorrent:ann?secret=")
    assert not (await factors.of(ann)).is_on
    with pytest.raises(Invalid):
        await factors.confirm(ann, "000000" if code_of(begun.secret) != "000000" else "111111")
    assert not (await factors.of(ann)).is_on
    codes = await factors.confirm(ann, code_of(begun.secret))
    assert len(set(codes)) == 12
    assert min(map(len, codes)) == 17  # with fewer than fifteen letters a stolen digest could be undone by trying all
    assert (await factors.of(ann)).recovery_left == 12
    with pytest.raises(Conflict):
        await factors.begin(ann)


async def test_a_code_is_taken_once_even_by_two_at_the_same_moment(factors: SecondFactors, ann: User) -> None:
    secret, _ = await on(factors, ann)
    code = code_of(secret)
    assert sorted(await asyncio.gather(*(factors.proves(ann, code) for _ in range(3)))) == [False, False, True]
    assert not await factors.proves(ann, code)


async def test_an_older_code_than_the_last_is_not_taken(factors: SecondFactors, ann: User) -> None:
    secret, _ = await on(factors, ann)
    assert await factors.proves(ann, code_of(secret, 1))
    assert not await factors.proves(ann, code_of(secret))


async def test_a_phone_may_be_half_a_minute_off_and_no_more(factors: SecondFactors, ann: User) -> None:
    secret, _ = await on(factors, ann)
    assert not await factors.proves(ann, code_of(secret, 3))
    assert await factors.proves(ann, f" {code_of(secret)[:3]} {code_of(secret)[3:]} ")


async def test_a_recovery_code_works_once_however_it_is_typed(factors: SecondFactors, ann: User) -> None:
    _, codes = await on(factors, ann)
    assert await factors.proves(ann, codes[0].upper().replace("-", " "))
    assert not await factors.proves(ann, codes[0])
    assert (await factors.of(ann)).recovery_left == 11
    fresh = await factors.renew(ann, codes[1])
    assert not await factors.proves(ann, codes[2])
    assert await factors.proves(ann, fresh[0])


async def test_guessing_within_a_session_ends_after_five(
    factors: SecondFactors, clock: Clock, ann: User, bob: User
) -> None:
    secret, codes = await on(factors, ann)
    for _ in range(WRONG_CODES):
        assert not await factors.proves(ann, "wrong")
    with pytest.raises(Refused, match="ten minutes"):
        await factors.proves(ann, codes[0])
    await on(factors, bob)
    clock.move(FORGOTTEN_S)
    assert await factors.proves(ann, code_of(secret))


async def test_guesses_side_by_side_are_as_many_as_one_after_another(factors: SecondFactors, ann: User) -> None:
    await on(factors, ann)
    answers = await asyncio.gather(*(factors.proves(ann, "wrong") for _ in range(20)), return_exceptions=True)
    assert answers.count(False) == WRONG_CODES
    assert sum(isinstance(answer, Refused) for answer in answers) == 20 - WRONG_CODES


async def test_who_has_one_proves_it_before_doing_what_only_admins_may(
    factors: SecondFactors, accounts: Accounts, boss: Admin, database: Database
) -> None:
    assert (await accounts.admin(boss.user)).user.name == "boss"
    await on(factors, boss.user)
    assert (await accounts.admin(boss.user)).user.name == "boss"
    async with database.begin() as tx:
        await tx.execute(text("UPDATE factors SET proved_at = '2020-01-01 00:00:00+00:00'"))
    with pytest.raises(StepUp, match="code 123456"):
        await accounts.admin(boss.user)


async def test_it_is_switched_off_with_a_code_and_by_admins_for_who_lost_it(
    factors: SecondFactors, ann: User, bob: User, boss: Admin
) -> None:
    _, codes = await on(factors, ann)
    await on(factors, bob)
    with pytest.raises(Invalid):
        await factors.remove(ann, "123")
    await factors.remove(ann, codes[0])
    await factors.reset(boss, "bob")
    assert not (await factors.of(ann)).is_on
    assert not (await factors.of(bob)).is_on
    with pytest.raises(Missing):
        await factors.reset(boss, "bob")


async def test_who_is_no_admin_any_more_switches_off_nobodys(
    factors: SecondFactors, accounts: Accounts, ann: User, bob: User, boss: Admin
) -> None:
    await on(factors, ann)
    await accounts.set_role(boss, "bob", "admin")
    await accounts.set_role(boss, "boss", "user")
    with pytest.raises(Refused):
        await factors.reset(boss, "ann")
    assert (await factors.of(ann)).is_on


async def test_a_secret_in_anothers_row_opens_nothing(
    factors: SecondFactors, database: Database, ann: User, bob: User
) -> None:
    secret, _ = await on(factors, ann)
    await on(factors, bob)
    async with database.begin() as tx:
        moved = "UPDATE factors SET sealed_secret = (SELECT sealed_secret FROM factors WHERE user_id = :a)"
        await tx.execute(text(moved), {"a": ann.id})
    with pytest.raises(Invalid, match="cannot be opened"):
        await factors.proves(bob, code_of(secret))
