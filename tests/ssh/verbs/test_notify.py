"""notify add, list, test, change, enable, disable, remove, quiet: documents, text, and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.servers.receiver import Receiver, receiving
from tests.ssh.verbs.conftest import House
from uuutorrent.automation.inbox.notice import Kind


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_a_channel_is_made_tried_out_and_used(house: House, receiver: Receiver) -> None:
    told = await house.ann.says(f"notify add {receiver.url}")
    assert told == "Channel 1: a webhook at 127.0.0.1\n    `notify test 1` sends a message to try it out.\n"
    assert "took the message" in await house.ann.says("notify test 1")
    await house.services.inbox.tell(house.ann.user.id, Kind.FINISHED, "Frieren 5 is here.", key="it")
    await house.services.deliveries.run_once()
    assert receiver.messages == ["It works: this is a message to try out the channel.", "Frieren 5 is here."]


async def test_an_address_on_stdin_stays_out_of_the_line_and_of_what_is_shown(house: House, receiver: Receiver) -> None:
    url = f"json://ann:hunter2@127.0.0.1:{receiver.port}/s3cret?+Token=s3cret"
    made = await house.ann.json("notify add - --kinds failed,trouble --digest 24", f"{url}\n".encode())
    assert (made["channel"], made["service"], made["digest_h"]) == (1, "a webhook at 127.0.0.1", 24)
    assert made["kinds"] == ["failed", "trouble"]
    shown = await house.ann.says("notify list")
    assert "told of failed, trouble, collected for 24 hours" in " ".join(shown.split())
    assert "hunter2" not in f"{shown}{made}"
    assert "s3cret" not in f"{shown}{made}"


async def test_what_went_wrong_is_told_on_the_channel(house: House, receiver: Receiver) -> None:
    await house.ann.json(f"notify add {receiver.url}")
    receiver.status = 500
    assert "it answers 500" in await house.ann.fails("notify test 1", 75)
    await house.services.inbox.tell(house.ann.user.id, Kind.FINISHED, "Frieren 5 is here.", key="it")
    await house.services.deliveries.run_once()
    (listed,) = await house.ann.json("notify list")
    assert (listed["failures"], listed["last_error"]) == (1, "a webhook at 127.0.0.1: it answers 500")
    assert listed["next_try_at"].endswith("Z")
    assert "(1 failure in a row, again" in " ".join((await house.ann.says("notify list")).split())


async def test_a_channel_is_changed_switched_off_and_removed(house: House, receiver: Receiver) -> None:
    await house.ann.json(f"notify add {receiver.url}")
    assert (await house.ann.json("notify change 1 --kinds finished failed"))["kinds"] == ["finished", "failed"]
    assert (await house.ann.json("notify change 1 --digest 12"))["digest_h"] == 12
    assert (await house.ann.json("notify disable 1"))["enabled"] is False
    assert "(disabled)" in await house.ann.says("notify list")
    assert (await house.ann.json("notify enable 1"))["enabled"] is True
    assert await house.ann.json("notify remove 1") == {"channel": 1}
    assert "Nothing is sent anywhere." in " ".join((await house.ann.says("notify list")).split())


async def test_quiet_hours_are_set_told_and_ended(house: House) -> None:
    assert "No quiet hours" in await house.ann.says("notify quiet")
    said = await house.ann.says("notify quiet 23:30 07:00 --zone Europe/Berlin")
    assert said == "Quiet from 23:30 to 07:00, Europe/Berlin.\n"
    assert await house.ann.json("notify quiet") == {"from": "23:30", "to": "07:00", "zone": "Europe/Berlin"}
    assert await house.bob.json("notify quiet") == {"from": None, "to": None, "zone": "UTC"}
    assert await house.ann.json("notify quiet off") == {"from": None, "to": None, "zone": "Europe/Berlin"}
    assert (await house.ann.json("notify quiet --zone Asia/Tokyo"))["zone"] == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("line", "status", "told"),
    [
        ("notify add dbus://", 2, "Nothing is sent to dbus:// from here. Taken are: json(s),"),
        ("notify add 'discord://1/b?template=/etc/passwd'", 2, "The option template of Discord is not taken"),
        ("notify add json://169.254.169.254/", 3, "private network"),
        ("notify add json://127.0.0.1/ --kinds fun", 2, "There is no kind fun"),
        ("notify add json://127.0.0.1/ --digest 1000", 2, "0 (each as it comes) to 168 hours"),
        ("notify change 1", 2, "say what to change"),
        ("notify change 1 --digest 3", 4, "You have no such channel."),
        ("notify test 1", 4, "You have no such channel."),
        ("notify enable 1", 4, "You have no such channel."),
        ("notify remove 1", 4, "You have no such channel."),
        ("notify quiet 23:30", 2, "a beginning and an end"),
        ("notify quiet 23:30 late", 2, "say an hour like 23:30"),
        ("notify quiet 23:30 07:00 --zone Middle/Earth", 2, "there is no time zone Middle/Earth"),
    ],
)
async def test_what_cannot_be_done_is_told(house: House, line: str, status: int, told: str) -> None:
    assert told in await house.ann.fails(line, status)


async def test_other_peoples_channels_are_not_there(house: House, receiver: Receiver) -> None:
    await house.ann.json(f"notify add {receiver.url}")
    for line in ("test 1", "enable 1", "disable 1", "remove 1", "change 1 --digest 3"):
        assert await house.bob.fails(f"notify {line}", 4) == "You have no such channel."
    assert await house.bob.json("notify list") == []
    assert receiver.got == []
