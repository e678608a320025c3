"""What reaches people outside, and when; real child processes, a receiver on loopback and a clock that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.automation.outward import Outward
from tests.servers.receiver import receiving
from uuutorrent.accounts import User
from uuutorrent.automation.channels.channels import MOST_FAILURES
from uuutorrent.automation.inbox.notice import Kind
from uuutorrent.store.database import SYSTEM, Database


@pytest.fixture
async def outward(database: Database, tmp_path: Path) -> AsyncIterator[Outward]:
    async with receiving() as receiver:
        yield Outward.open(database, tmp_path, receiver)


async def test_each_is_told_what_is_theirs_once_and_nothing_old(outward: Outward, ann: User, bob: User) -> None:
    await outward.tell(ann, "Before there was a channel.")
    await outward.channel(ann)
    await outward.channel(bob, "/bob")
    await outward.later(seconds=15)
    await outward.tell(ann, "Ann's first.")
    await outward.tell(bob, "Bob's.")
    await outward.tell(ann, "Ann's second.")
    await outward.later(seconds=15)
    await outward.later(seconds=15)
    told = sorted(zip(outward.receiver.paths, outward.receiver.messages, strict=True))
    assert told == [("/hook", "Ann's first."), ("/hook", "Ann's second."), ("/hook/bob", "Bob's.")]


async def test_only_the_kinds_it_wants(outward: Outward, ann: User) -> None:
    await outward.channel(ann, kinds=(Kind.FAILED, Kind.TROUBLE))
    await outward.tell(ann, "Finished.")
    await outward.later(seconds=15)
    await outward.tell(ann, "Finished, too.")
    await outward.tell(ann, "Failed.", Kind.FAILED)
    await outward.later(seconds=15)
    assert outward.receiver.messages == ["Failed."]


async def test_many_come_as_one(outward: Outward, ann: User) -> None:
    await outward.channel(ann)
    for number in range(6):
        await outward.tell(ann, f"Thing {number}.")
    await outward.later(seconds=15)
    (message,) = outward.receiver.messages
    assert message.splitlines() == ["6 things happened:", *(f"• Thing {number}." for number in range(6))]


async def test_a_digest_collects(outward: Outward, ann: User) -> None:
    await outward.channel(ann, digest_h=24)
    await outward.tell(ann, "Morning.")
    await outward.later(seconds=15)
    await outward.later(hours=12)
    await outward.tell(ann, "Evening.")
    await outward.later(hours=11)
    assert outward.receiver.got == []
    await outward.later(hours=1)
    assert outward.receiver.messages == ["2 things happened:\n• Morning.\n• Evening."]
    await outward.tell(ann, "Next day.")
    await outward.later(hours=23)
    assert len(outward.receiver.got) == 1
    await outward.later(hours=1)
    assert outward.receiver.messages[1:] == ["Next day."]


async def test_quiet_hours_hold_back_and_then_send_as_one(outward: Outward, ann: User, bob: User) -> None:
    outward.clock.at = datetime(2026, 11, 21, 22, tzinfo=UTC)  # 23:00 in Berlin
    await outward.preferences.change(ann, quiet_from="23:30", quiet_to="07:00", zone="Europe/Berlin")
    await outward.channel(ann)
    await outward.channel(bob, "/bob")
    await outward.tell(ann, "Late.")
    await outward.later(minutes=1)
    assert outward.receiver.messages == ["Late."]
    outward.clock.move(hours=3)
    await outward.tell(ann, "At night.")
    await outward.tell(bob, "Bob is up.")
    await outward.later(hours=1)
    await outward.tell(ann, "Later at night.")
    await outward.later(hours=3, minutes=58)  # 06:59
    assert outward.receiver.messages == ["Late.", "Bob is up."]
    await outward.later(minutes=1)
    assert outward.receiver.messages[2:] == ["2 things happened:\n• At night.\n• Later at night."]


async def test_without_quiet_hours_any_more_the_rest_comes_at_once(outward: Outward, ann: User) -> None:
    await outward.preferences.change(ann, quiet_from="00:00", quiet_to="23:59")
    await outward.channel(ann)
    await outward.tell(ann, "Held.")
    await outward.later(seconds=15)
    assert outward.receiver.got == []
    await outward.preferences.change(ann, quiet_from="", quiet_to="")
    await outward.later(seconds=15)
    assert outward.receiver.messages == ["Held."]


async def test_what_fails_is_tried_again_ever_more_rarely_and_says_so(outward: Outward, ann: User) -> None:
    await outward.channel(ann)
    outward.receiver.status = 500
    await outward.tell(ann, "One.")
    await outward.later(seconds=15)
    failing = await outward.one(ann)
    assert (failing.failures, failing.error) == (1, "a webhook at 127.0.0.1: it answers 500")
    assert (failing.next_at - outward.clock.at).total_seconds() == 60
    await outward.later(seconds=59)
    assert len(outward.receiver.paths) == 1
    await outward.later(seconds=1)
    assert ((await outward.one(ann)).next_at - outward.clock.at).total_seconds() == 120
    outward.receiver.status = 200
    await outward.later(minutes=2)
    assert outward.receiver.messages == ["One."]
    well = await outward.one(ann)
    assert (well.failures, well.error) == (0, "")


async def test_what_arrived_before_the_failure_is_not_sent_again(outward: Outward, ann: User) -> None:
    await outward.channel(ann)
    for said in ("One.", "Two.", "Three."):
        await outward.tell(ann, said)
    outward.receiver.refuses_after = 2
    await outward.later(seconds=15)
    outward.receiver.refuses_after = None
    await outward.later(minutes=1)
    assert outward.receiver.messages == ["One.", "Two.", "Three."]


async def test_one_that_never_works_is_switched_off_and_the_user_told(outward: Outward, ann: User) -> None:
    await outward.channels.add(ann, "json://127.0.0.1:9/nobody-listens-here")
    await outward.tell(ann, "One.")
    await outward.later(days=1)
    async with outward.database.begin(SYSTEM) as tx:
        await tx.execute(text("UPDATE channels SET failures = :many"), {"many": MOST_FAILURES - 2})
    for _ in range(2):
        assert (await outward.one(ann)).is_enabled
        await outward.later(days=1)
    over = await outward.one(ann)
    assert (over.is_enabled, over.failures) == (False, MOST_FAILURES)
    told, _ = await outward.texts(ann)
    assert told.startswith(f"Channel {over.id} (a webhook at 127.0.0.1) was switched off after 20 failures:")
    await outward.later(days=1)
    assert len(await outward.texts(ann)) == 2


async def test_once_enabled_again_it_begins_with_what_is_new(outward: Outward, ann: User) -> None:
    channel = await outward.channel(ann)
    await outward.channels.set_enabled(ann, channel.id, on=False)
    await outward.tell(ann, "Meanwhile.")
    await outward.later(seconds=15)
    await outward.channels.set_enabled(ann, channel.id, on=True)
    await outward.tell(ann, "New.")
    await outward.later(seconds=15)
    assert outward.receiver.messages == ["New."]


async def test_one_that_hangs_holds_up_nobody_else(database: Database, tmp_path: Path, ann: User, bob: User) -> None:
    async with receiving() as stuck, receiving() as receiver:
        outward = Outward.open(database, tmp_path, receiver, deadline_s=5.0)
        stuck.status = 0
        await outward.channels.add(ann, stuck.url)
        await outward.channel(bob)
        await outward.tell(ann, "Stuck.")
        await outward.tell(bob, "Flows.")
        delivering = asyncio.create_task(outward.later(seconds=15), name="delivering")
        await receiver.until_asked()
        await stuck.until_asked()
        await delivering
        assert receiver.messages == ["Flows."]
        assert (await outward.one(ann)).error == "a webhook at 127.0.0.1: it does not answer in 5 s"


async def test_two_daemons_send_once(outward: Outward, database_url: str, ann: User, bob: User) -> None:
    await outward.channel(ann)
    await outward.channel(bob, "/bob")
    await outward.tell(ann, "Ann's.")
    await outward.tell(bob, "Bob's.")
    async with Database(database_url) as second:
        other = outward.beside(second)
        outward.clock.move(seconds=15)
        await asyncio.gather(*(one.deliveries.run_once() for one in (outward, other) for _ in range(2)))
        await asyncio.gather(outward.deliveries.run_once(), other.deliveries.run_once())
    assert sorted(outward.receiver.messages) == ["Ann's.", "Bob's."]


async def test_what_a_daemon_was_killed_at_is_sent_by_the_next(outward: Outward, ann: User) -> None:
    await outward.channel(ann)
    await outward.tell(ann, "One.")
    outward.receiver.status = 0
    outward.clock.move(seconds=15)
    dying = asyncio.create_task(outward.deliveries.run_once(), name="dying")
    await outward.receiver.until_asked()
    dying.cancel()
    await asyncio.wait({dying})
    outward.receiver.status = 200
    await outward.later(minutes=2)
    assert outward.receiver.messages == []  # it may still be at it
    await outward.later(minutes=1)
    assert outward.receiver.messages == ["One."]
