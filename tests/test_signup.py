"""Signing up: what strangers can get by themselves, and what they cannot find out by it."""

from __future__ import annotations

import asyncio

import pytest

from tests.conftest import PASSWORD
from tests.people import CHEAP_ROUNDS, a_key, refusal
from uuutorrent import signup
from uuutorrent.accounts import WAITS, Accounts, Admin, Operator, User
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.config import Files, Torrents
from uuutorrent.errors import Conflict, Invalid, Refused
from uuutorrent.invites import NO_GOOD, Invites
from uuutorrent.limits import Limits
from uuutorrent.publickeys import parse
from uuutorrent.signup import CLOSED, CROWDED, KEY_TAKEN, NAME_TAKEN, Enough, Lobby, Newcomer, SignUps, Welcome
from uuutorrent.store.database import Database
from uuutorrent.users import RESERVED


@pytest.fixture
def invites(database: Database) -> Invites:
    return Invites(database)


def signups(database: Database, invites: Invites, mode: str) -> SignUps:
    config = AccountSettings(signup=mode)  # type: ignore[arg-type]  # the tests name those there are
    return SignUps(database, Accounts(database, config, rounds=CHEAP_ROUNDS), invites)


@pytest.fixture
def by_invite(database: Database, invites: Invites) -> SignUps:
    return signups(database, invites, "invite")


@pytest.fixture
def by_yes(database: Database, invites: Invites) -> SignUps:
    return signups(database, invites, "open")


async def names(accounts: Accounts) -> set[str]:
    return {one.user.name for one in await accounts.users(Operator())}


async def test_with_an_invitation_one_gets_what_it_says_and_signs_in(
    accounts: Accounts, database: Database, by_invite: SignUps, invites: Invites, boss: Admin
) -> None:
    _, code = await invites.create(boss, role="admin", quota_bytes=5 * 2**30)
    key = a_key()
    assert await by_invite.sign_up(Newcomer("kim", code, PASSWORD, (key,))) == Welcome("kim", waits=False)
    kim = await accounts.with_password("kim", PASSWORD)
    assert kim.role == "admin"
    assert await accounts.with_key("kim", parse(key).fingerprint) == kim
    assert (await Limits(database, Torrents(), Files()).of(kim)).bytes == 5 * 2**30


async def test_without_a_right_code_nobody_comes_in_and_no_name_is_looked_at(
    accounts: Accounts, by_invite: SignUps, ann: User
) -> None:
    told = {await refusal(by_invite.sign_up(Newcomer(name, "no-code", PASSWORD))) for name in ("ann", "root", "kim")}
    assert told == {NO_GOOD}
    with pytest.raises(Invalid, match="type the code"):
        await by_invite.sign_up(Newcomer("kim", "", PASSWORD))
    assert await names(accounts) == {"ann"}


async def test_of_two_with_one_invitation_at_once_one_gets_an_account(
    accounts: Accounts, by_invite: SignUps, invites: Invites, boss: Admin
) -> None:
    _, code = await invites.create(boss)
    trying = (by_invite.sign_up(Newcomer(name, code, keys=(a_key(),))) for name in ("kim", "lee"))
    came = await asyncio.gather(*trying, return_exceptions=True)
    assert sorted(type(one).__name__ for one in came) == ["NotInvited", "Welcome"]
    assert len(await names(accounts) & {"kim", "lee"}) == 1


async def test_of_two_with_one_name_at_once_one_gets_it_and_the_other_keeps_the_invitation(
    accounts: Accounts, by_invite: SignUps, invites: Invites, boss: Admin
) -> None:
    codes = [(await invites.create(boss))[1] for _ in range(2)]
    trying = (by_invite.sign_up(Newcomer("kim", code, keys=(a_key(),))) for code in codes)
    came = await asyncio.gather(*trying, return_exceptions=True)
    assert sorted(type(one).__name__ for one in came) == ["Taken", "Welcome"]
    assert [one.message for one in came if isinstance(one, Refused)] == [NAME_TAKEN]
    assert sorted(one.uses_left for one in await invites.list(boss)) == [0, 1]


async def test_a_name_that_is_taken_reserved_or_waiting_is_told_the_same(
    accounts: Accounts, by_yes: SignUps, ann: User, bob: User
) -> None:
    await accounts.disable(Operator(), "bob")
    await by_yes.sign_up(Newcomer("kim", password=PASSWORD))
    told = {
        await refusal(by_yes.sign_up(Newcomer(name, password=PASSWORD)))
        for name in ("ann", "bob", "kim", *sorted(RESERVED))
    }
    assert told == {NAME_TAKEN}
    assert await names(accounts) == {"ann", "bob", "kim"}


async def test_what_is_typed_wrong_is_said_with_its_rule(by_yes: SignUps, accounts: Accounts) -> None:
    for newcomer, field in (
        (Newcomer("Kim!", password=PASSWORD), "name"),
        (Newcomer("kim", password="kim12345678"), "password"),
        (Newcomer("kim"), "password"),
        (Newcomer("kim", keys=("ssh-dss AAAA",)), "key"),
    ):
        with pytest.raises(Invalid) as told:
            await by_yes.sign_up(newcomer)
        assert told.value.field == field
    assert await names(accounts) == set()


async def test_a_key_of_somebody_is_refused_without_a_word_of_whose(
    accounts: Accounts, by_yes: SignUps, ann: User
) -> None:
    key = a_key()
    await accounts.add_key(ann, key)
    assert await refusal(by_yes.sign_up(Newcomer("kim", keys=(key,)))) == KEY_TAKEN
    assert await names(accounts) == {"ann"}


async def test_where_it_is_open_an_admin_says_yes_first_and_only_the_right_credential_hears_that(
    accounts: Accounts, by_yes: SignUps, boss: Admin
) -> None:
    key = a_key()
    assert (await by_yes.sign_up(Newcomer("kim", password=PASSWORD, keys=(key,)))).waits
    fingerprint = parse(key).fingerprint
    assert await refusal(accounts.with_password("kim", PASSWORD)) == WAITS
    assert await refusal(accounts.with_key("kim", fingerprint)) == WAITS
    assert await refusal(accounts.with_password("kim", "wrong")) == "wrong user name or password"
    (kim,) = [one for one in await accounts.users(boss) if one.awaits_approval]
    assert kim.user.name == "kim"
    assert kim.last_seen_at is None
    await by_yes.approve(boss, "kim")
    assert (await accounts.with_password("kim", PASSWORD)).name == "kim"
    assert (await accounts.with_key("kim", fingerprint)).role == "user"


async def test_who_is_rejected_is_gone_and_nobody_else_can_be_rejected(
    accounts: Accounts, by_yes: SignUps, boss: Admin, ann: User
) -> None:
    await by_yes.sign_up(Newcomer("kim", password=PASSWORD))
    await by_yes.reject(boss, "kim")
    assert await names(accounts) == {"ann", "boss"}
    for verb in (by_yes.reject, by_yes.approve):
        with pytest.raises(Conflict, match="ann does not wait"):
            await verb(boss, "ann")
    assert "ann" in await names(accounts)


async def test_only_admins_approve_and_reject(by_yes: SignUps, accounts: Accounts, ann: User) -> None:
    await by_yes.sign_up(Newcomer("kim", password=PASSWORD))
    for verb in (by_yes.approve, by_yes.reject):
        assert await refusal(verb(Admin(ann), "kim")) == "only admins may do that"
    assert await refusal(accounts.with_password("kim", PASSWORD)) == WAITS


async def test_no_more_than_so_many_wait_and_an_invitation_needs_no_yes(
    by_yes: SignUps, invites: Invites, boss: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signup, "MOST_WAITING", 2)
    for name in ("kim", "lee"):
        await by_yes.sign_up(Newcomer(name, keys=(a_key(),)))
    assert await refusal(by_yes.sign_up(Newcomer("max", keys=(a_key(),)))) == CROWDED
    _, code = await invites.create(boss)
    assert not (await by_yes.sign_up(Newcomer("max", code, keys=(a_key(),)))).waits


async def test_where_it_is_closed_nobody_signs_up(
    database: Database, invites: Invites, boss: Admin, accounts: Accounts
) -> None:
    _, code = await invites.create(boss)
    assert await refusal(signups(database, invites, "closed").sign_up(Newcomer("kim", code, PASSWORD))) == CLOSED
    assert await names(accounts) == {"boss"}


async def test_a_stranger_has_so_many_tries_and_one_account(by_invite: SignUps, invites: Invites, boss: Admin) -> None:
    lobby = Lobby(by_invite, None, reach=str, wrong_codes=3, refusal_s=0.01)
    for _ in range(2):
        assert await refusal(lobby.sign_up(Newcomer("kim", "wrong", PASSWORD))) == NO_GOOD
    with pytest.raises(Enough, match="too many wrong codes"):
        await lobby.sign_up(Newcomer("kim", "wrong", PASSWORD))
    _, code = await invites.create(boss, uses=9)
    with pytest.raises(Enough):
        await lobby.sign_up(Newcomer("kim", code, PASSWORD))
    other = Lobby(by_invite, None, reach=str, wrong_codes=3, refusal_s=0.01)
    for _ in range(4):
        assert await refusal(other.sign_up(Newcomer("boss", code, PASSWORD))) == NAME_TAKEN
    await other.sign_up(Newcomer("kim", code, PASSWORD))
    with pytest.raises(Enough, match="you have an account"):
        await other.sign_up(Newcomer("lee", code, PASSWORD))


async def test_a_sign_up_that_the_configuration_closes_while_the_daemon_runs_is_closed(
    database: Database, invites: Invites
) -> None:
    config = AccountSettings(signup="open")
    signups = SignUps(database, Accounts(database, config, rounds=CHEAP_ROUNDS), invites)
    config.become(AccountSettings(signup="closed"))
    assert signups.mode == "closed"
    assert await refusal(signups.sign_up(Newcomer("kim", password=PASSWORD))) == CLOSED


async def test_an_admin_who_could_not_come_back_with_a_password_has_to_give_a_key(
    by_invite: SignUps, invites: Invites, boss: Admin, accounts: Accounts
) -> None:
    _, code = await invites.create(boss, role="admin")
    with pytest.raises(Invalid, match="with a key only") as told:
        await by_invite.sign_up(Newcomer("kim", code, PASSWORD), ip="203.0.113.7")
    assert told.value.field == "key"
    assert await names(accounts) == {"boss"}
    await by_invite.sign_up(Newcomer("kim", code, PASSWORD, (a_key(),)), ip="203.0.113.7")
    _, code = await invites.create(boss, role="admin")
    await by_invite.sign_up(Newcomer("lee", code, PASSWORD), ip="192.168.0.7")


async def test_where_no_password_is_taken_nobody_signs_up_with_nothing_else(
    by_invite: SignUps, invites: Invites, boss: Admin, accounts: Accounts
) -> None:
    _, code = await invites.create(boss)
    lobby = Lobby(by_invite, None, reach=str, wrong_codes=3, refusal_s=0.01, passwords=False)
    with pytest.raises(Invalid, match="no password is taken here") as told:
        await lobby.sign_up(Newcomer("kim", code, PASSWORD))
    assert told.value.field == "key"
    await lobby.sign_up(Newcomer("kim", code, keys=(a_key(),)))
    assert await names(accounts) == {"boss", "kim"}
