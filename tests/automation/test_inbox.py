"""The inbox: told once, only to its owner, answered once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.automation.evening import Clock
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.automation.inbox.inbox import MOOT, Inbox, Kind
from uuutorrent.errors import Conflict, Invalid, Missing
from uuutorrent.store.database import Database


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def inbox(database: Database, clock: Clock) -> Inbox:
    return Inbox(database, now=clock)


async def texts(inbox: Inbox, user: User) -> list[str]:
    return [notice.text for notice in await inbox.of(user)]


async def ask(inbox: Inbox, user: User, text: str = "Watch it?") -> int:
    """Ask something, and return the notice's id."""
    await inbox.tell(user.id, Kind.CHOICE, text, key=text, choices=("yes", "no"))
    return (await inbox.of(user))[0].id


async def test_the_newest_comes_first_and_says_all_it_was_told(inbox: Inbox, ann: User, clock: Clock) -> None:
    await inbox.tell(ann.id, Kind.FINISHED, "One is here.", key="1", media_id=5, episode=1, infohash="ab")
    clock.move(minutes=1)
    await inbox.tell(ann.id, Kind.CHOICE, "Two?", key="2", choices=("take", "skip"))
    second, first = await inbox.of(ann)
    assert (first.kind, first.text, first.media_id, first.episode) == (Kind.FINISHED, "One is here.", 5, 1)
    assert (first.infohash, first.at, first.is_seen, first.is_open) == (
        "ab",
        clock.at - timedelta(minutes=1),
        False,
        False,
    )
    assert (second.choices, second.answer, second.is_open) == (("take", "skip"), "", True)


async def test_the_same_thing_is_told_once_to_each(inbox: Inbox, ann: User, bob: User) -> None:
    told = [await inbox.tell(user.id, Kind.FINISHED, "It is here.", key="it") for user in (ann, ann, bob)]
    assert told == [True, False, True]
    assert await texts(inbox, ann) == await texts(inbox, bob) == ["It is here."]


async def test_many_who_tell_the_same_at_once_tell_it_once(database: Database, inbox: Inbox, ann: User) -> None:
    other = Inbox(database)
    telling = [one.tell(ann.id, Kind.TAKEN, "Taken.", key="it") for one in (inbox, other) for _ in range(8)]
    assert sorted(await asyncio.gather(*telling)) == [False] * 15 + [True]
    assert await texts(inbox, ann) == ["Taken."]


async def test_what_a_transaction_tells_is_told_only_if_it_is_committed(
    database: Database, inbox: Inbox, ann: User
) -> None:
    async with database.begin(ann.id) as tx:
        await inbox.tell(ann.id, Kind.TAKEN, "Never.", key="never", tx=tx)
        await tx.rollback()
    async with database.begin(ann.id) as tx:
        await inbox.tell(ann.id, Kind.TAKEN, "Taken.", key="it", tx=tx)
        assert not await inbox.tell(ann.id, Kind.TAKEN, "Again.", key="it", tx=tx)
    assert await texts(inbox, ann) == ["Taken."]


async def test_nothing_is_told_to_somebody_who_is_gone(inbox: Inbox, accounts: Accounts, ann: User) -> None:
    await accounts.delete(Operator(), "ann")
    assert not await inbox.tell(ann.id, Kind.FINISHED, "It is here.", key="it")
    assert await inbox.newest() == 0


async def test_another_ones_notice_cannot_be_seen_or_answered(inbox: Inbox, ann: User, bob: User) -> None:
    its = await ask(inbox, ann)
    assert await inbox.of(bob) == ()
    assert await inbox.waiting(bob.id) == ()
    assert await inbox.see(bob, [its]) == 0
    for forbidden in (inbox.one(bob, its), inbox.note_answer(bob, its, "yes")):
        with pytest.raises(Missing) as refused:
            await forbidden
        assert refused.value.message == "You have no such notice."
    assert await inbox.unseen(ann) == 1
    assert (await inbox.one(ann, its)).is_open


async def test_unseen_counts_what_was_not_looked_at(inbox: Inbox, ann: User, bob: User) -> None:
    for key in "abcd":
        await inbox.tell(ann.id, Kind.FINISHED, f"{key} is here.", key=key)
    await inbox.tell(bob.id, Kind.FINISHED, "b is here.", key="b")
    newest = (await inbox.of(ann))[0]
    assert await inbox.unseen(ann) == 4
    assert (await inbox.see(ann, [newest.id]), await inbox.see(ann, [newest.id])) == (1, 0)
    assert [notice.text for notice in await inbox.of(ann, unseen=True)] == ["c is here.", "b is here.", "a is here."]
    assert await inbox.see(ann, None) == 3
    assert (await inbox.unseen(ann), await inbox.unseen(bob)) == (0, 1)


async def test_pages_and_kinds_are_picked_out(inbox: Inbox, ann: User) -> None:
    for number in range(1, 6):
        await inbox.tell(ann.id, Kind.TAKEN if number % 2 else Kind.FAILED, str(number), key=str(number))
    *_, third, _, _ = await inbox.of(ann)
    assert [one.text for one in await inbox.of(ann, limit=2)] == ["5", "4"]
    assert [one.text for one in await inbox.of(ann, before=third.id)] == ["2", "1"]
    assert [one.text for one in await inbox.of(ann, since=third.id)] == ["5", "4"]
    assert [one.text for one in await inbox.of(ann, kinds=[Kind.FAILED])] == ["4", "2"]


async def test_an_answer_is_one_of_the_choices_and_final(inbox: Inbox, ann: User) -> None:
    its = await ask(inbox, ann)
    with pytest.raises(Invalid, match="Choose one of: yes, no"):
        await inbox.note_answer(ann, its, "maybe")
    answered = await inbox.note_answer(ann, its, "no")
    assert (answered.answer, answered.is_seen, answered.is_open) == ("no", True, False)
    with pytest.raises(Conflict, match="It was answered already: no"):
        await inbox.note_answer(ann, its, "yes")
    await inbox.tell(ann.id, Kind.FINISHED, "It is here.", key="it")
    with pytest.raises(Invalid, match="nothing to choose"):
        await inbox.note_answer(ann, (await inbox.of(ann))[0].id, "yes")


async def test_of_two_answers_at_once_one_counts(inbox: Inbox, ann: User) -> None:
    its = await ask(inbox, ann)
    answers = [inbox.note_answer(ann, its, choice) for choice in ("yes", "no", "yes", "no")]
    done = await asyncio.gather(*answers, return_exceptions=True)
    assert sorted(isinstance(one, Conflict) for one in done) == [False, True, True, True]


async def test_a_choice_that_became_moot_is_not_waited_for(inbox: Inbox, ann: User) -> None:
    its = await ask(inbox, ann)
    assert await inbox.withdraw(ann.id, "Watch it?", "You watched it elsewhere.")
    assert not await inbox.withdraw(ann.id, "Watch it?", "Again.")
    notice = await inbox.one(ann, its)
    assert (notice.answer, notice.text) == (MOOT, "Watch it? You watched it elsewhere.")
    assert (notice.is_open, await inbox.unseen(ann), await inbox.waiting(ann.id)) == (False, 0, ())
    with pytest.raises(Conflict, match="not needed any more"):
        await inbox.note_answer(ann, its, "yes")


async def test_what_waits_is_found_by_the_beginning_of_its_key(inbox: Inbox, ann: User) -> None:
    for text in ("watched:5:1", "watched_5:1", "pursuit:5"):
        await ask(inbox, ann, text)
    assert [one.key for one in await inbox.waiting(ann.id, prefix="watched:")] == ["watched:5:1"]
    assert [one.key for one in await inbox.waiting(ann.id, prefix="watched_")] == ["watched_5:1"]


async def test_old_notices_are_forgotten_and_open_choices_stay(inbox: Inbox, ann: User, clock: Clock) -> None:
    answered = await ask(inbox, ann, "Answered?")
    await inbox.note_answer(ann, answered, "yes")
    await ask(inbox, ann, "Open?")
    await inbox.tell(ann.id, Kind.FINISHED, "Old.", key="old")
    clock.move(days=91)
    await inbox.tell(ann.id, Kind.FINISHED, "New.", key="new")
    await inbox.tidy()
    assert await texts(inbox, ann) == ["New.", "Open?"]


async def test_too_many_for_one_user_are_forgotten_once_they_are_not_new(
    database: Database, inbox: Inbox, ann: User, bob: User, clock: Clock
) -> None:
    async with database.begin(ann.id) as tx:
        for number in range(1005):
            await inbox.tell(ann.id, Kind.FINISHED, str(number), key=str(number), tx=tx)
    await inbox.tell(bob.id, Kind.FINISHED, "Bob's.", key="his")
    await inbox.tidy()
    assert len(await inbox.of(ann, limit=2000)) == 1005
    clock.move(days=3)
    await inbox.tidy()
    left = await inbox.of(ann, limit=2000)
    assert (len(left), left[0].text, left[-1].text) == (1000, "1004", "5")
    assert await texts(inbox, bob) == ["Bob's."]


async def test_a_number_is_never_given_twice(inbox: Inbox, accounts: Accounts, ann: User, bob: User) -> None:
    await inbox.tell(bob.id, Kind.FINISHED, "Bob's.", key="his")
    before = await inbox.newest()
    await accounts.delete(Operator(), "bob")
    await inbox.tell(ann.id, Kind.FINISHED, "Ann's.", key="hers")
    assert await inbox.newest() > before
