from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from tests.people import a_key, refusal
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.errors import Conflict, Missing
from uuutorrent.keys import MAX_KEYS
from uuutorrent.store.database import Database


async def test_a_key_signs_in_its_own_user_only(accounts: Accounts, ann: User, bob: User) -> None:
    key = await accounts.add_key(ann, a_key())
    other = await accounts.add_key(bob, a_key())
    assert await accounts.with_key("ann", key.fingerprint) == ann
    told = {
        await refusal(accounts.with_key("ann", other.fingerprint)),
        await refusal(accounts.with_key("bob", key.fingerprint)),
        await refusal(accounts.with_key("nobody-here", key.fingerprint)),
        await refusal(accounts.with_key("ann", "SHA256:" + "A" * 43)),
        await refusal(accounts.with_key("ann", "1")),
    }
    assert len(told) == 1


async def test_a_keys_number_is_not_its_fingerprint(accounts: Accounts, ann: User) -> None:
    key = await accounts.add_key(ann, a_key())
    assert not await accounts.key_known("ann", str(key.id))
    await refusal(accounts.with_key("ann", str(key.id)))


async def test_a_probe_asks_the_database_as_much_for_nobody_as_for_somebody(
    accounts: Accounts, database: Database, ann: User, boss: Admin, bob: User
) -> None:
    fingerprint = (await accounts.add_key(bob, a_key())).fingerprint
    await accounts.disable(boss, "bob")
    asked: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    counts = set()
    for name in ("ann", "bob", "nobody-here"):
        asked.clear()
        assert not await accounts.key_known(name, fingerprint)
        counts.add(len(asked))
    assert len(counts) == 1


async def test_a_probe_leaves_no_trace_and_a_signature_does(accounts: Accounts, ann: User) -> None:
    fingerprint = (await accounts.add_key(ann, a_key())).fingerprint
    assert await accounts.key_known("ann", fingerprint)
    assert not await accounts.key_known("bob", fingerprint)
    (key,) = await accounts.keys(ann)
    assert key.last_used_at is None
    before = datetime.now(UTC)
    await accounts.with_key("ann", fingerprint)
    (key,) = await accounts.keys(ann)
    assert key.last_used_at is not None
    assert before <= key.last_used_at <= datetime.now(UTC)


async def test_keys_carry_comment_and_dates_and_can_be_several(accounts: Accounts, ann: User) -> None:
    first = await accounts.add_key(ann, a_key("ann@laptop"))
    second = await accounts.add_key(ann, a_key("ann at work"))
    assert await accounts.keys(ann) == (first, second)
    assert (first.comment, second.comment) == ("ann@laptop", "ann at work")
    assert first.last_used_at is None
    assert first.public_key.startswith("ssh-ed25519 AAAA")


async def test_a_key_belongs_to_one_user(accounts: Accounts, ann: User, bob: User) -> None:
    key = a_key()
    await accounts.add_key(ann, key)
    with pytest.raises(Conflict, match="there already"):
        await accounts.add_key(ann, key)
    with pytest.raises(Conflict, match="belongs to another user"):
        await accounts.add_key(bob, key)
    with pytest.raises(Conflict, match="belongs to another user"):
        await accounts.create(Operator(), "carl", keys=[key])
    with pytest.raises(Missing):
        await accounts.by_name("carl")


async def test_a_key_added_by_two_users_at_once_goes_to_one(accounts: Accounts, ann: User, bob: User) -> None:
    key = a_key()
    done = await asyncio.gather(accounts.add_key(ann, key), accounts.add_key(bob, key), return_exceptions=True)
    assert [type(one) for one in done if isinstance(one, Exception)] == [Conflict]


async def test_a_key_is_removed_by_its_number_or_its_fingerprint(accounts: Accounts, ann: User) -> None:
    first, second = await accounts.add_key(ann, a_key()), await accounts.add_key(ann, a_key())
    assert await accounts.remove_key(ann, str(first.id)) == first
    assert await accounts.remove_key(ann, second.fingerprint) == second
    assert await accounts.keys(ann) == ()


async def test_a_key_of_somebody_else_cannot_be_removed_nor_told_from_none(
    accounts: Accounts, ann: User, bob: User
) -> None:
    key = await accounts.add_key(ann, a_key())
    told = set()
    for name in (str(key.id), key.fingerprint, "4711", "9" * 40, "rubbish", "", "\0"):
        with pytest.raises(Missing) as caught:
            await accounts.remove_key(bob, name)
        told.add(caught.value.message)
    assert len(told) == 1
    assert await accounts.keys(ann) == (key,)


async def test_there_is_an_end_to_the_keys_of_one_user(accounts: Accounts) -> None:
    ann = await accounts.create(Operator(), "ann", keys=[a_key() for _ in range(MAX_KEYS)])
    assert "remove one first" in await refusal(accounts.add_key(ann, a_key()))
