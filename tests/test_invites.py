"""Invitations: made, seen and revoked by admins; each use of one lets in exactly one."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from tests.people import refusal
from uuutorrent.accounts import Accounts, Admin, Operator
from uuutorrent.errors import Invalid, Missing
from uuutorrent.invites import NO_GOOD, Invite, Invites, NotInvited
from uuutorrent.store.database import SYSTEM, Database

NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def invites(database: Database, clock: Clock) -> Invites:
    return Invites(database, now=lambda: clock.now)


async def come(database: Database, invites: Invites, code: str) -> Invite:
    async with database.begin(SYSTEM) as tx:
        return await invites.redeem(tx, code)


async def test_a_code_is_taken_however_it_is_typed_and_shown_once(
    database: Database, invites: Invites, boss: Admin
) -> None:
    made, code = await invites.create(boss, uses=3, note="for the film club")
    assert len(code.replace("-", "")) == 16
    for typed in (code, f"  {code.upper()} ", code.replace("-", " ")):
        await come(database, invites, typed)
    (listed,) = await invites.list(boss)
    assert (listed.uses_left, listed.note, listed.made_by) == (0, "for the film club", boss.user.id)
    assert code not in repr(listed)
    assert made.id == listed.id


async def test_of_two_who_come_with_the_last_use_at_once_one_gets_in(
    database: Database, invites: Invites, boss: Admin
) -> None:
    _, code = await invites.create(boss)
    came = await asyncio.gather(*(come(database, invites, code) for _ in range(2)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in came) == ["Invite", "NotInvited"]
    assert (await invites.list(boss))[0].uses_left == 0


async def test_whatever_is_wrong_with_a_code_the_same_is_said(
    accounts: Accounts, database: Database, invites: Invites, boss: Admin, clock: Clock
) -> None:
    (_, used), (revoked, gone), (_, late) = [await invites.create(boss, days=1) for _ in range(3)]
    other = Admin(await accounts.create(Operator(), "other", role="admin"))
    _, demoted = await invites.create(other, role="admin", days=30)
    await come(database, invites, used)
    await invites.revoke(boss, revoked.id)
    clock.now += timedelta(days=1)
    await accounts.set_role(Operator(), "other", "user")
    codes = (used, gone, late, demoted, "", "aaaa-bbbb-cccc-dddd", "x" * 100_000, "a\0b", "\ud800")
    assert {await refusal(come(database, invites, code)) for code in codes} == {NO_GOOD}
    assert [one.is_void for one in await invites.list(boss)] == [True, False, False]
    assert not any(one.is_open(clock.now) for one in await invites.list(boss))


async def test_an_invitation_is_not_used_up_when_the_account_is_not_made(
    database: Database, invites: Invites, boss: Admin
) -> None:
    _, code = await invites.create(boss)
    with suppress(ZeroDivisionError):
        async with database.begin(SYSTEM) as tx:
            await invites.redeem(tx, code)
            raise ZeroDivisionError
    await come(database, invites, code)
    with pytest.raises(NotInvited):
        await come(database, invites, code)


async def test_only_admins_make_see_and_revoke_them(accounts: Accounts, invites: Invites, boss: Admin) -> None:
    made, _ = await invites.create(boss)
    demoted = Admin(await accounts.create(Operator(), "demoted"))
    for trying in (invites.create(demoted), invites.list(demoted), invites.revoke(demoted, made.id)):
        assert await refusal(trying) == "only admins may do that"
    assert len(await invites.list(boss)) == 1


@pytest.mark.parametrize(
    "wrong", [{"uses": 0}, {"uses": 1001}, {"days": 0}, {"days": 400}, {"note": "x" * 201}, {"note": "a\nb"}]
)
async def test_what_makes_no_sense_is_refused(invites: Invites, boss: Admin, wrong: dict[str, int | str]) -> None:
    with pytest.raises(Invalid) as told:
        await invites.create(boss, **wrong)  # type: ignore[arg-type]  # each is of its own type
    assert told.value.field == next(iter(wrong))


async def test_those_that_are_long_over_are_forgotten_and_go_with_who_made_them(
    accounts: Accounts, invites: Invites, boss: Admin, clock: Clock
) -> None:
    other = Admin(await accounts.create(Operator(), "other", role="admin"))
    await invites.create(boss, days=1)
    await invites.create(other, days=300)
    kept, _ = await invites.create(Operator(), days=300)
    assert kept.made_by is None
    clock.now += timedelta(days=32)
    assert not (await invites.list(boss))[-1].is_open(clock.now)
    await invites.create(boss)
    assert len(await invites.list(boss)) == 3
    await accounts.delete(Operator(), "other")
    assert [one.made_by for one in await invites.list(boss)] == [boss.user.id, None]
    with pytest.raises(Missing):
        await invites.revoke(boss, 99)
