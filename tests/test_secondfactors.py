from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import text

from tests.clock import Clock
from tests.people import CHEAP_ROUNDS
from uuutorrent.accounts import Accounts, Admin, User
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.errors import Conflict, Invalid, Missing, Refused
from uuutorrent.factors import STEP_S, STEP_UP, Proof, StepUp
from uuutorrent.presence import Here
from uuutorrent.secondfactors import FORGOTTEN_S, WRONG_CODES, SecondFactors
from uuutorrent.store.database import SYSTEM, Database
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
    return begun.secret, await factors.confirm(user, code_of(begun.secret, -1), Proof())


async def test_it_asks_for_nothing_before_a_first_code_was_right(factors: SecondFactors, ann: User) -> None:
    begun = await factors.begin(ann)
    assert begun.uri.startswith("otpauth://totp/uuutorrent:ann?secret=")
    assert not (await factors.of(ann)).is_on
    with pytest.raises(Invalid):
        await factors.confirm(ann, "000000" if code_of(begun.secret) != "000000" else "111111", Proof())
    assert not (await factors.of(ann)).is_on
    codes = await factors.confirm(ann, code_of(begun.secret), Proof())
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
    fresh = await factors.renew(ann, codes[1], Proof())
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
    factors: SecondFactors, accounts: Accounts, boss: Admin
) -> None:
    assert (await accounts.admin(boss.user)).user.name == "boss"
    begun, here, elsewhere = await factors.begin(boss.user), Proof(), Proof()
    await factors.confirm(boss.user, code_of(begun.secret, -1), here)
    assert (await accounts.admin(boss.user, here)).user.name == "boss"
    for proof in (elsewhere, None):
        with pytest.raises(StepUp, match="code 123456"):
            await accounts.admin(boss.user, proof)
    with pytest.raises(Invalid):
        await factors.step_up(boss.user, "000000", elsewhere)
    with pytest.raises(StepUp):
        await accounts.admin(boss.user, elsewhere)
    await factors.step_up(boss.user, code_of(begun.secret), elsewhere)
    assert (await accounts.admin(boss.user, elsewhere)).user.name == "boss"


async def test_a_code_opens_for_a_quarter_of_an_hour_and_with_the_factor_it_is_of() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    proof = Proof(lambda: now)
    assert not proof.is_fresh()
    proof.given()
    assert proof.is_fresh(since=now)
    assert not proof.is_fresh(since=now + timedelta(seconds=1))
    now += STEP_UP
    assert not proof.is_fresh()


async def test_a_code_given_to_commands_is_for_the_same_key_from_the_same_address(
    factors: SecondFactors, boss: Admin, ann: User
) -> None:
    secret, _ = await on(factors, boss.user)
    one = Here(boss.user, ip="192.0.2.7", fingerprint="SHA256:one")
    await factors.step_up_commands(one, code_of(secret))
    assert one.proof.is_fresh()
    assert factors.of_commands(Here(boss.user, ip="192.0.2.7", fingerprint="SHA256:one")).is_fresh()
    for other in (
        Here(boss.user, ip="192.0.2.8", fingerprint="SHA256:one"),
        Here(boss.user, ip="192.0.2.7", fingerprint="SHA256:two"),
        Here(boss.user, ip="192.0.2.7"),
        Here(ann, ip="192.0.2.7", fingerprint="SHA256:one"),
    ):
        assert not factors.of_commands(other).is_fresh()


@pytest.mark.parametrize(("needed", "who"), [("optional", ""), ("admins", "boss"), ("everyone", "ann bob boss")])
async def test_who_has_to_set_one_up_is_as_configured(
    database: Database, keyring: KeyRing, ann: User, bob: User, boss: Admin, needed: str, who: str
) -> None:
    strict = Accounts(database, AccountSettings.model_validate({"second_factor": needed}), rounds=CHEAP_ROUNDS)
    factors = SecondFactors(database, keyring, strict)
    assert [user.name for user in (ann, bob, boss.user) if await factors.is_due(user)] == who.split()
    if who:
        with pytest.raises(Refused, match="set one up first"):
            await strict.admin(boss.user, Proof())
    await on(factors, boss.user)
    assert not await factors.is_due(boss.user)


async def test_it_is_switched_off_with_a_code_and_by_admins_for_who_lost_it(
    factors: SecondFactors, ann: User, bob: User, boss: Admin
) -> None:
    _, codes = await on(factors, ann)
    await on(factors, bob)
    with pytest.raises(Invalid):
        await factors.remove(ann, "123", Proof())
    await factors.remove(ann, codes[0], Proof())
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
    async with database.begin(SYSTEM) as tx:
        moved = "UPDATE factors SET sealed_secret = (SELECT sealed_secret FROM factors WHERE user_id = :a)"
        await tx.execute(text(moved), {"a": ann.id})
    with pytest.raises(Invalid, match="cannot be opened"):
        await factors.proves(bob, code_of(secret))
