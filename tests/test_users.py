from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select, text

from tests.conftest import PASSWORD
from tests.people import CHEAP_ROUNDS, OTHER, a_key, refusal
from uuutorrent.accounts import FIRST_ADMIN, Accounts, Admin, Operator, User
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.errors import Invalid, Missing, Refused
from uuutorrent.invites import Invites
from uuutorrent.signup import Newcomer, SignUps
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.tables import EntryRow


async def test_everybody_is_listed_by_name_with_how_they_sign_in(accounts: Accounts, boss: Admin, ann: User) -> None:
    await accounts.add_key(ann, a_key())
    await accounts.disable(boss, "ann")
    first, second = await accounts.users(boss)
    assert (first.user, first.keys, first.has_password) == (ann, 1, True)
    assert first.disabled_at is not None
    assert (second.user, second.keys, second.disabled_at) == (boss.user, 0, None)


async def test_a_new_user_has_the_role_and_the_keys_that_were_given(accounts: Accounts, boss: Admin) -> None:
    carl = await accounts.create(boss, "carl", role="admin", keys=[a_key("one"), a_key("two")])
    assert carl.is_admin
    assert [key.comment for key in await accounts.keys(carl)] == ["one", "two"]


@pytest.mark.parametrize(
    "name", ["", "Ann", "1ann", "-ann", "ann!", "ann\n", "änn", "a" * 33, "root", "join", "../ann", "ann bob"]
)
async def test_names_that_cannot_be_used_are_refused_with_the_rule(accounts: Accounts, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        await accounts.create(Operator(), name)
    assert caught.value.field == "name"


@pytest.mark.parametrize("name", ["a", "ann", "ann-2_b", "a" * 32])
async def test_names_that_can_be_used(accounts: Accounts, name: str) -> None:
    assert (await accounts.create(Operator(), name)).name == name


async def test_a_name_is_given_once_even_to_two_at_once(accounts: Accounts) -> None:
    done = await asyncio.gather(*(accounts.create(Operator(), "ann") for _ in range(3)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "Conflict", "User"]


async def test_there_are_two_roles(accounts: Accounts, ann: User) -> None:
    with pytest.raises(Invalid, match="user or admin"):
        await accounts.create(Operator(), "carl", role="king")
    with pytest.raises(Invalid, match="user or admin"):
        await accounts.set_role(Operator(), "ann", "king")


AdminVerb = Callable[[Accounts, Admin], Awaitable[object]]


@pytest.mark.parametrize(
    "verb",
    [
        lambda accounts, by: accounts.users(by),
        lambda accounts, by: accounts.create(by, "carl"),
        lambda accounts, by: accounts.set_role(by, "ann", "admin"),
        lambda accounts, by: accounts.disable(by, "bob"),
        lambda accounts, by: accounts.enable(by, "bob"),
        lambda accounts, by: accounts.delete(by, "bob"),
        lambda accounts, by: accounts.give_password(by, "bob", OTHER),
        lambda accounts, by: accounts.reset_password(by, "bob"),
    ],
)
async def test_an_admin_who_was_demoted_meanwhile_can_do_nothing_more(
    accounts: Accounts, boss: Admin, ann: User, bob: User, verb: AdminVerb
) -> None:
    await accounts.set_role(Operator(), "ann", "admin")
    before = await accounts.admin(ann)
    await accounts.set_role(boss, "ann", "user")
    register = await accounts.users(boss)
    assert await refusal(verb(accounts, before)) == "only admins may do that"
    assert await accounts.users(boss) == register


async def test_the_last_admin_stays(accounts: Accounts, boss: Admin, ann: User) -> None:
    for by in (boss, Operator()):
        for verb in (
            accounts.set_role(by, "boss", "user"),
            accounts.disable(by, "boss"),
            accounts.delete(by, "boss"),
        ):
            assert "boss is the last admin" in await refusal(verb)


async def test_a_disabled_admin_is_not_counted_as_the_one_who_is_left(
    accounts: Accounts, boss: Admin, ann: User
) -> None:
    await accounts.set_role(boss, "ann", "admin")
    await accounts.disable(boss, "ann")
    assert "last admin" in await refusal(accounts.delete(boss, "boss"))
    await accounts.delete(boss, "ann")


async def test_an_admin_whom_nobody_has_said_yes_to_is_not_counted_as_the_one_who_is_left(
    database: Database, boss: Admin
) -> None:
    accounts = Accounts(database, AccountSettings(signup="open"), rounds=CHEAP_ROUNDS)
    await SignUps(database, accounts, Invites(database)).sign_up(Newcomer("kim", password=PASSWORD))
    await accounts.set_role(boss, "kim", "admin")
    for verb in (
        accounts.set_role(boss, "boss", "user"),
        accounts.disable(boss, "boss"),
        accounts.delete(boss, "boss"),
    ):
        assert "boss is the last admin" in await refusal(verb)


async def test_an_admin_who_is_not_the_last_can_go(accounts: Accounts, boss: Admin, ann: User) -> None:
    await accounts.set_role(boss, "ann", "admin")
    await accounts.delete(boss, "boss")
    assert [info.user.name for info in await accounts.users(Operator())] == ["ann"]


async def test_two_admins_who_demote_each_other_at_once_leave_one(accounts: Accounts, boss: Admin, ann: User) -> None:
    for _ in range(5):  # the first time the second connection is still being made
        for name in ("boss", "ann"):
            await accounts.set_role(Operator(), name, "admin")
        both = (accounts.set_role(boss, "ann", "user"), accounts.set_role(Admin(ann), "boss", "user"))
        done = await asyncio.gather(*both, return_exceptions=True)
        assert [type(one) for one in done if one is not None] == [Refused]
        assert [info.user.is_admin for info in await accounts.users(Operator())].count(True) == 1


async def test_what_belonged_to_a_deleted_user_goes_and_the_rest_stays(
    accounts: Accounts, database: Database, ann: User, bob: User
) -> None:
    await accounts.add_key(ann, a_key())
    kept = await accounts.add_key(bob, a_key())
    async with database.begin(SYSTEM) as tx:
        for user in (ann, bob):
            entry = {"user_id": user.id, "media_id": 1, "status": "CURRENT", "progress": 0}
            await tx.execute(insert(EntryRow).values(**entry, updated_at=datetime.now(UTC)))
    await accounts.delete(Operator(), "ann")
    async with database.begin(SYSTEM) as tx:
        assert list(await tx.scalars(select(EntryRow.user_id))) == [bob.id]
        assert list(await tx.scalars(text("SELECT fingerprint FROM keys"))) == [kept.fingerprint]


async def test_verbs_about_somebody_who_is_not_there_say_so(accounts: Accounts, boss: Admin) -> None:
    for verb in (accounts.disable(boss, "eve"), accounts.delete(boss, "eve"), accounts.reset_password(boss, "e\0e")):
        with pytest.raises(Missing):
            await verb


async def test_the_first_start_makes_an_admin_with_a_one_time_password_and_no_other_start_does(
    accounts: Accounts,
) -> None:
    password = await accounts.first_admin()
    assert password is not None
    admin = await accounts.with_password(FIRST_ADMIN, password)
    assert admin.is_admin
    assert admin.password_expired
    assert await accounts.first_admin() is None


async def test_two_first_starts_at_once_make_one_admin(accounts: Accounts) -> None:
    made = await asyncio.gather(accounts.first_admin(), accounts.first_admin())
    assert sum(password is not None for password in made) == 1


async def test_a_machine_that_has_a_user_gets_no_admin(accounts: Accounts, ann: User) -> None:
    assert await accounts.first_admin() is None
