"""Notifications and what happens by itself, under the account."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.servers.receiver import Receiver, receiving
from tests.tui.evening import ENTER, ESCAPE, Evening
from tests.tui.screen import Seat
from tests.tui.test_account import open_row
from uuutorrent.accounts import User
from uuutorrent.automation.inbox.notice import Kind
from uuutorrent.automation.preferences import Watched
from uuutorrent.tui.app import UuuApp

DOWN = "\x1b[B"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as listening:
        yield listening


def address(receiver: Receiver) -> str:
    return f"{receiver.url}/secret-token"


async def fill(seat: Seat[UuuApp], *lines: str) -> None:
    """Type into the lines of a form, from the first on; then Enter."""
    for number, line in enumerate(lines):
        seat.type(DOWN if number else "")
        await seat.settled()
        await seat.clears()
        seat.type(line)
        await seat.settled()
    seat.type(ENTER)


@pytest.mark.parametrize(("width", "height"), [(120, 40), (80, 24), (40, 20)])
async def test_a_channel_is_added_tried_switched_and_removed(
    evening: Evening, receiver: Receiver, width: int, height: int
) -> None:
    async with evening.sit(width=width, height=height) as seat:
        await open_row(seat, "Notifications")
        await seat.sees("No channels: you are told")
        seat.type("a")
        await seat.sees("Tell things to an address")
        await fill(seat, address(receiver), "finished, failed", "24")
        await seat.sees("› ● a webhook")
        assert "secret-token" not in seat.glass.text
        seat.type("t")
        await seat.sees("A message went to")
        assert len(receiver.messages) == 1
        seat.type("o")
        await seat.sees("Switched off: nothing is sent")
        seat.type("x")
        await seat.sees("Remove this channel?")
        seat.type("x")
        await seat.sees("No channels: you are told")
        seat.type(ESCAPE)
        await seat.sees("nothing is sent anywhe")


async def test_of_what_it_tells_can_be_changed_without_its_address(evening: Evening, receiver: Receiver) -> None:
    await evening.services.channels.add(evening.ann, address(receiver))
    async with evening.sit(width=80, height=24) as seat:
        await open_row(seat, "Notifications")
        await seat.sees("everything")
        seat.type(ENTER)
        await seat.sees("an empty address stays")
        await fill(seat, "", "trouble", "")
        await seat.sees("trouble")
        await seat.sees_no("an empty address stays")
    (channel,) = await evening.services.channels.of(evening.ann)
    assert channel.kinds == (Kind.TROUBLE,)


async def test_what_cannot_be_meant_is_said_in_the_form(evening: Evening) -> None:
    async with evening.sit(width=110) as seat:
        await open_row(seat, "Notifications")
        await seat.sees("No channels")
        seat.type("a")
        await seat.sees("Tell things to an address")
        await fill(seat, "file:///etc/passwd")
        await seat.settled()
        await seat.sees("Tell things to an address")
        await fill(seat, "json://example.org", "everything new")
        await seat.sees("Tell of: there is no everything; there are finished")
        assert await evening.services.channels.of(evening.ann) == ()


async def test_a_channel_that_does_not_answer_says_so(evening: Evening, receiver: Receiver) -> None:
    await evening.services.channels.add(evening.ann, "json://127.0.0.1:9/x")
    async with evening.sit(width=110) as seat:
        await open_row(seat, "Notifications")
        await seat.sees("› ● a webhook")
        seat.type("t")
        await seat.sees("127.0.0.1")
        await seat.sees_no("Sending to")
        assert "A message went" not in seat.glass.text


async def test_quiet_hours_have_a_beginning_and_an_end(evening: Evening) -> None:
    async with evening.sit(width=80, height=24) as seat:
        await open_row(seat, "Notifications")
        await seat.sees("No quiet hours")
        seat.type("h")
        await seat.sees("Quiet from")
        await fill(seat, "23:00")
        await seat.sees("quiet hours have a beginning and an end")
        await fill(seat, "23:00", "7", "Mars/Olympus")
        await seat.sees("say an hour like 23:30")
        await fill(seat, "07:30", "Europe/Berlin")
        await seat.sees("Quiet from 23:00 to 07:30 (Europe/Berlin)")
    wishes = await evening.services.preferences.of(evening.ann)
    assert (wishes.quiet_from, wishes.quiet_to, wishes.zone) == ("23:00", "07:30", "Europe/Berlin")


async def test_what_happens_by_itself_is_typed_in_words(evening: Evening) -> None:
    async with evening.sit(width=80, height=24) as seat:
        await open_row(seat, "By itself")
        await seat.sees("What happens by itself")
        await fill(seat, "perhaps")
        await seat.sees("Watched?: type one of off, ask, set")
        await fill(seat, "set", "no", "30 days")
        await seat.sees("From now on it happens like that.")
        await seat.sees("fetched counts as watched · deletes watched after 30 days")
    wishes = await evening.services.preferences.of(evening.ann)
    assert (wishes.watched, wishes.upgrades, wishes.tidy_days) == (Watched.SET, False, 30)


async def test_other_peoples_channels_are_never_seen(evening: Evening, receiver: Receiver, bob: User) -> None:
    await evening.services.channels.add(bob, address(receiver))
    async with evening.sit() as seat:
        await open_row(seat, "Notifications")
        await seat.sees("No channels: you are told here only.")
