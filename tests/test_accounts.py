from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, insert, select, text

from tests.conftest import PASSWORD
from tests.people import OTHER, a_key, refusal
from uuutorrent.accounts import Accounts, Admin, Operator, SignedIn, User, UserId, hold, people
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.errors import Conflict, Invalid, Missing, Refused
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.tables import EntryRow

# Signing in


async def test_the_right_password_signs_in(accounts: Accounts, ann: User) -> None:
    assert await accounts.with_password("ann", PASSWORD) == ann


async def test_every_way_to_fail_with_a_password_says_the_same(accounts: Accounts, ann: User, bob: User) -> None:
    await accounts.create(Operator(), "keyless")
    await accounts.disable(Operator(), "bob")
    told = {
        await refusal(accounts.with_password(name, password))
        for name, password in (
            ("ann", "wrong"),
            ("ann", ""),
            ("ann", PASSWORD + " "),
            ("ann", "x" * 5000),
            ("ann", "\ud800"),
            ("ANN", PASSWORD),
            ("bob", PASSWORD),
            ("keyless", PASSWORD),
            ("nobody-here", PASSWORD),
            ("a\0b", PASSWORD),
            ("\udc80", PASSWORD),
            ("", ""),
        )
    }
    assert told == {"wrong user name or password"}


async def test_a_disabled_user_cannot_sign_in_with_the_right_password_or_key(accounts: Accounts, ann: User) -> None:
    key = await accounts.add_key(ann, a_key())
    await accounts.disable(Operator(), "ann")
    await refusal(accounts.with_password("ann", PASSWORD))
    await refusal(accounts.with_key("ann", key.fingerprint))
    assert not await accounts.key_known("ann", key.fingerprint)
    await accounts.enable(Operator(), "ann")
    assert await accounts.with_password("ann", PASSWORD) == ann


async def test_who_is_still_here_is_whoever_could_come_the_same_way_again(
    accounts: Accounts, ann: User, bob: User
) -> None:
    kept, lost, bobs = [(await accounts.add_key(user, a_key())).fingerprint for user in (ann, ann, bob)]
    by_password, by_key = SignedIn(ann.id), SignedIn(ann.id, kept)
    everybody = [by_password, by_key, SignedIn(ann.id, lost), SignedIn(bob.id), SignedIn(bob.id, bobs)]
    assert await accounts.still_here(everybody) == {one: {ann.id: ann, bob.id: bob}[one.id] for one in everybody}
    await accounts.remove_key(ann, lost)
    await accounts.add_key(bob, a_key())
    await accounts.reset_password(Operator(), "ann")
    await accounts.set_role(Operator(), "ann", "admin")
    await accounts.disable(Operator(), "bob")
    now = replace(ann, role="admin")
    assert await accounts.still_here([*everybody, SignedIn(ann.id, bobs), SignedIn(UserId(99))]) == {
        by_password: replace(now, password_expired=True),
        by_key: now,
    }
    assert await accounts.still_here([]) == {}


async def test_who_was_here_is_remembered(accounts: Accounts, ann: User) -> None:
    await accounts.seen(ann)
    (info,) = await accounts.users(Operator())
    assert info.last_seen_at is not None


# Looking up


async def test_users_are_found_by_id_and_by_name(accounts: Accounts, ann: User) -> None:
    assert await accounts.get(ann.id) == ann
    assert await accounts.by_name("ann") == ann
    with pytest.raises(Missing, match="no user bob"):
        await accounts.by_name("bob")
    with pytest.raises(Missing):
        await accounts.get(UserId(4711))


async def test_people_are_looked_up_together_and_who_is_gone_is_left_out(
    database: Database, ann: User, bob: User
) -> None:
    async with database.begin(SYSTEM) as tx:
        assert await people(tx, [ann.id, bob.id, UserId(4711)]) == {ann.id: ann, bob.id: bob}


async def test_an_id_is_never_given_twice(accounts: Accounts, ann: User, bob: User) -> None:
    await accounts.delete(Operator(), "bob")
    assert (await accounts.create(Operator(), "bob")).id not in {ann.id, bob.id}


async def test_only_who_is_an_admin_now_is_taken_for_one(accounts: Accounts, ann: User, boss: Admin) -> None:
    await refusal(accounts.admin(ann))
    await accounts.set_role(boss, "ann", "admin")
    assert (await accounts.admin(ann)).user.is_admin
    await accounts.disable(boss, "ann")
    await refusal(accounts.admin(ann))
    await accounts.delete(boss, "ann")
    await refusal(accounts.admin(ann))


# One's own password and keys


async def test_one_changes_ones_own_password_by_telling_the_old(accounts: Accounts, ann: User) -> None:
    await accounts.set_password(ann, PASSWORD, OTHER)
    assert await accounts.with_password("ann", OTHER) == ann
    await refusal(accounts.with_password("ann", PASSWORD))


async def test_a_wrong_old_password_changes_nothing(accounts: Accounts, ann: User) -> None:
    assert await refusal(accounts.set_password(ann, "wrong", OTHER)) == "the old password is wrong"
    assert await accounts.with_password("ann", PASSWORD) == ann


async def test_a_one_time_password_has_to_become_another(accounts: Accounts, ann: User) -> None:
    password = await accounts.reset_password(Operator(), "ann")
    signed_in = await accounts.with_password("ann", password)
    assert signed_in.password_expired
    with pytest.raises(Invalid, match="that is the old password"):
        await accounts.set_password(signed_in, password, password)
    await accounts.set_password(signed_in, password, OTHER)
    assert not (await accounts.with_password("ann", OTHER)).password_expired


async def test_who_signs_in_by_key_can_choose_a_first_password(accounts: Accounts) -> None:
    ann = await accounts.create(Operator(), "ann", keys=[a_key()])
    await accounts.set_password(ann, "", OTHER)
    assert await accounts.with_password("ann", OTHER) == ann


async def test_two_password_changes_at_once_cannot_both_win(accounts: Accounts, ann: User) -> None:
    changes = (accounts.set_password(ann, PASSWORD, f"{OTHER} {number}") for number in range(2))
    done = await asyncio.gather(*changes, return_exceptions=True)
    # Who comes so late that the other is done already gave a password that is the old one no more.
    (late,) = [one for one in done if one is not None]
    assert isinstance(late, Conflict | Refused)


async def test_a_user_who_was_disabled_meanwhile_changes_nothing(accounts: Accounts, ann: User) -> None:
    await accounts.disable(Operator(), "ann")
    for change in (
        accounts.set_password(ann, PASSWORD, OTHER),
        accounts.add_key(ann, a_key()),
        accounts.remove_key(ann, "1"),
    ):
        assert await refusal(change) == "the account ann is disabled or gone; ask an admin"


async def test_the_password_of_a_name_reused_is_not_changed_by_a_session_of_the_first(
    accounts: Accounts, ann: User
) -> None:
    await accounts.delete(Operator(), "ann")
    await accounts.create(Operator(), "ann", password=PASSWORD)
    await refusal(accounts.set_password(ann, PASSWORD, OTHER))
    await refusal(accounts.with_password("ann", OTHER))


# Holding a user


async def test_of_six_at_once_where_one_fits_exactly_one_is_let_in(database: Database, ann: User) -> None:
    async def take_the_last_place(media_id: int) -> None:
        async with database.begin(SYSTEM) as tx:
            await hold(tx, ann)
            if await tx.scalar(select(func.count()).select_from(EntryRow)):
                raise Refused("there is no room")
            await asyncio.sleep(0)
            entry = {"user_id": ann.id, "media_id": media_id, "status": "CURRENT", "progress": 0}
            await tx.execute(insert(EntryRow).values(**entry, updated_at=datetime.now(UTC)))

    done = await asyncio.gather(*(take_the_last_place(number) for number in range(6)), return_exceptions=True)
    assert [type(one) for one in done].count(Refused) == 5
    async with database.begin(SYSTEM) as tx:
        assert await tx.scalar(select(func.count()).select_from(EntryRow)) == 1


async def test_holding_reads_the_user_as_they_are_now(accounts: Accounts, database: Database, ann: User) -> None:
    await accounts.set_role(Operator(), "ann", "admin")
    async with database.begin(SYSTEM) as tx:
        assert (await hold(tx, ann)).is_admin


async def test_who_is_disabled_or_gone_cannot_be_held(accounts: Accounts, database: Database, ann: User) -> None:
    async def held() -> None:
        async with database.begin(SYSTEM) as tx:
            await hold(tx, ann)

    await accounts.disable(Operator(), "ann")
    await refusal(held())
    await accounts.delete(Operator(), "ann")
    await refusal(held())


async def test_passwords_cost_as_much_as_configured_by_default(database: Database) -> None:
    accounts = Accounts(database, AccountSettings())
    await accounts.create(Operator(), "ann", password=PASSWORD)
    async with database.begin(SYSTEM) as tx:
        stored = await tx.scalar(text("SELECT password_hash FROM users"))
    assert str(stored).startswith("$2b$12$")
