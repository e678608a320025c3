from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.conftest import PASSWORD
from tests.people import refusal
from tests.test_secondfactors import code_of
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.errors import Missing, Refused
from uuutorrent.factors import Proof, StepUp
from uuutorrent.secondfactors import SecondFactors
from uuutorrent.store.database import Database
from uuutorrent.store.sealed import KeyRing


async def test_of_two_admins_who_leave_at_the_same_moment_one_stays(accounts: Accounts, boss: Admin) -> None:
    other = await accounts.create(Operator(), "other", role="admin", password=PASSWORD)
    leaving = (accounts.leave(user, PASSWORD, Proof()) for user in (boss.user, other))
    gone, stayed = sorted(await asyncio.gather(*leaving, return_exceptions=True), key=lambda one: one is not None)
    assert gone is None
    assert isinstance(stayed, Refused)
    assert "is the last admin" in stayed.message
    assert len(await accounts.users(Operator())) == 1


async def test_leaving_takes_a_code_or_a_password_or_nothing_where_there_is_none(
    accounts: Accounts, database: Database, ann: User, bob: User, tmp_path: Path
) -> None:
    keyed = await accounts.create(Operator(), "keyed")
    factors = SecondFactors(database, KeyRing.open(tmp_path / "keyring"), accounts)
    proof = Proof()
    await factors.confirm(bob, code_of((await factors.begin(bob)).secret, -1), proof)
    assert [await accounts.leaving_takes(user) for user in (ann, bob, keyed)] == ["password", "code", ""]
    assert await refusal(accounts.leave(ann, "wrong", Proof())) == "the password is wrong"
    with pytest.raises(StepUp):
        await accounts.leave(bob, PASSWORD, Proof())
    await accounts.leave(ann, PASSWORD, Proof())
    await accounts.leave(bob, "", proof)
    await accounts.leave(keyed, "", Proof())
    for user in (ann, bob, keyed):
        with pytest.raises(Missing):
            await accounts.get(user.id)
