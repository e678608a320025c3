"""Channels as people keep them: what may be kept, what is shown of it, and whose it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from sqlalchemy import text

from tests.automation.outward import Outward
from tests.people import refusal
from tests.servers.receiver import receiving
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.automation.channels.channels import ALL_KINDS, MOST_CHANNELS, read_kinds
from uuutorrent.automation.inbox.notice import Kind
from uuutorrent.errors import Invalid, Missing, Unreachable
from uuutorrent.store.database import SYSTEM, Database

SECRET = "s3cr3t-t0k3n"


@pytest.fixture
async def outward(database: Database, tmp_path: Path) -> AsyncIterator[Outward]:
    async with receiving() as receiver:
        yield Outward.open(database, tmp_path, receiver)


def secret_url(outward: Outward) -> str:
    return f"json://ann:{SECRET}@127.0.0.1:{outward.receiver.port}/{SECRET}?+X-Token={SECRET}"


async def test_a_channel_is_kept_as_it_was_made(outward: Outward, ann: User, bob: User) -> None:
    made = await outward.channel(ann, kinds=(Kind.TROUBLE, Kind.FINISHED), digest_h=24)
    assert (made.label, made.kinds, made.digest_h) == ("a webhook at 127.0.0.1", (Kind.FINISHED, Kind.TROUBLE), 24)
    assert (made.is_enabled, made.error, made.failures) == (True, "", 0)
    assert await outward.channels.of(ann) == (made,)
    assert await outward.channels.of(bob) == ()


async def test_secrets_are_neither_stored_openly_nor_shown_nor_logged(outward: Outward, ann: User) -> None:
    with structlog.testing.capture_logs() as logged:
        made = await outward.channels.add(ann, secret_url(outward))
        await outward.tell(ann, "It works.")
        await outward.later(seconds=15)
        outward.receiver.status = 401
        await outward.tell(ann, "It does not.")
        await outward.later(seconds=15)
        with pytest.raises(Unreachable) as failed:
            await outward.channels.test(ann, made.id)
        (shown,) = await outward.channels.of(ann)
    assert outward.receiver.messages == ["It works."]
    assert shown.error
    for said in (made, shown, failed.value, logged, await outward.texts(ann)):
        assert SECRET not in repr(said)
    async with outward.database.begin(SYSTEM) as tx:
        assert SECRET not in str((await tx.execute(text("SELECT * FROM channels"))).all())


async def test_a_sealed_address_opens_for_its_owner_alone(outward: Outward, ann: User, bob: User) -> None:
    await outward.channel(ann)
    theirs = await outward.channel(bob)
    async with outward.database.begin(SYSTEM) as tx:
        stolen = (
            "UPDATE channels SET sealed_url = (SELECT sealed_url FROM channels WHERE user_id = :ann) WHERE id = :id"
        )
        await tx.execute(text(stolen), {"ann": ann.id, "id": theirs.id})
    with pytest.raises(Invalid, match="Give its address anew"):
        await outward.channels.test(bob, theirs.id)
    await outward.tell(bob, "Not for whoever that is.")
    await outward.later(seconds=15)
    assert outward.receiver.got == []
    assert "Give its address anew" in (await outward.one(bob)).error


async def test_other_peoples_channels_look_as_if_there_were_none(outward: Outward, ann: User, bob: User) -> None:
    channel = await outward.channel(ann)
    for trying in (
        outward.channels.test(bob, channel.id),
        outward.channels.change(bob, channel.id, digest_h=3),
        outward.channels.set_enabled(bob, channel.id, on=False),
        outward.channels.remove(bob, channel.id),
    ):
        with pytest.raises(Missing, match="You have no such channel"):
            await trying
    assert await outward.channels.of(ann) == (channel,)
    assert outward.receiver.got == []


async def test_a_channel_is_tried_out_at_once(outward: Outward, ann: User) -> None:
    channel = await outward.channel(ann)
    await outward.preferences.change(ann, quiet_from="00:00", quiet_to="23:59")
    await outward.channels.test(ann, channel.id)
    assert outward.receiver.messages == ["It works: this is a message to try out the channel."]
    outward.receiver.status = 500
    with pytest.raises(Unreachable, match="it answers 500"):
        await outward.channels.test(ann, channel.id)


async def test_a_trial_that_arrives_ends_the_waiting(outward: Outward, ann: User) -> None:
    channel = await outward.channel(ann)
    outward.receiver.status = 500
    await outward.tell(ann, "One.")
    await outward.later(seconds=15)
    outward.receiver.status = 200
    await outward.channels.test(ann, channel.id)
    assert (await outward.one(ann)).error == ""
    await outward.later(seconds=1)
    assert outward.receiver.messages[1:] == ["One."]


async def test_a_channel_is_changed_in_parts(outward: Outward, ann: User) -> None:
    channel = await outward.channel(ann)
    changed = await outward.channels.change(ann, channel.id, kinds=(Kind.FAILED,))
    assert (changed.kinds, changed.digest_h) == ((Kind.FAILED,), 0)
    url = f"ntfy://127.0.0.1:{outward.receiver.port}/topic"
    changed = await outward.channels.change(ann, channel.id, url=url, digest_h=12)
    assert (changed.label, changed.kinds, changed.digest_h) == ("ntfy at 127.0.0.1", (Kind.FAILED,), 12)
    await outward.channels.remove(ann, channel.id)
    assert await outward.channels.of(ann) == ()


async def test_too_many_are_refused(outward: Outward, ann: User, bob: User) -> None:
    channel = await outward.channel(ann)
    async with outward.database.begin(ann.id) as tx:
        columns = "user_id, sealed_url, label, kinds, digest_h, is_enabled, sent_to, next_at, failures, error, made_at"
        copy = f"INSERT INTO channels ({columns}) SELECT {columns} FROM channels WHERE id = :id"
        for _ in range(MOST_CHANNELS - 1):
            await tx.execute(text(copy), {"id": channel.id})
    assert "all you may have" in await refusal(outward.channel(ann))
    assert (await outward.channel(bob)).is_enabled


async def test_who_is_disabled_makes_none_and_is_told_nothing(outward: Outward, accounts: Accounts, ann: User) -> None:
    await outward.channel(ann)
    await outward.tell(ann, "One.")
    await accounts.disable(Operator(), "ann")
    await outward.later(minutes=5)
    assert outward.receiver.got == []
    assert "disabled" in await refusal(outward.channel(ann))


@pytest.mark.parametrize(("kinds", "digest_h"), [((), 0), (ALL_KINDS, -1), (ALL_KINDS, 169)])
async def test_what_means_nothing_is_refused(
    outward: Outward, ann: User, kinds: tuple[Kind, ...], digest_h: int
) -> None:
    with pytest.raises(Invalid):
        await outward.channel(ann, kinds=kinds, digest_h=digest_h)
    assert await outward.channels.of(ann) == ()


def test_kinds_are_read_by_their_names() -> None:
    assert read_kinds(["Trouble", "finished"]) == (Kind.FINISHED, Kind.TROUBLE)
    with pytest.raises(Invalid, match="There is no kind fun; there are finished, failed"):
        read_kinds(["fun"])
