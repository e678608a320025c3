"""The screen of feed rules: adding, trying, taking, switching, removing, and trouble."""

from __future__ import annotations

from tests.tui.evening import ENTER, ESCAPE, TAB, Evening, paste
from tests.tui.screen import Seat
from uuutorrent.automation.feeds.rule import Saving, Terms
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.feedwords import read, shown

TITLE = "[Group] Wanted Show - 01 (1080p).mkv"


def feed(evening: Evening) -> str:
    return f"{evening.nyaa.url}/?page=rss"


async def fill(seat: Seat[UuuApp], *lines: str) -> None:
    """Type into the fields of a form, from the one that has the cursor on; then Enter."""
    for number, line in enumerate(lines):
        seat.type(TAB if number else "")
        await seat.settled()
        seat.type(line)
        await seat.settled()
    seat.type(ENTER)


async def test_who_has_none_is_told_how_to_make_one(evening: Evening) -> None:
    async with evening.sit() as seat:
        seat.type("3")
        await seat.sees("No rules yet. Press a, and give the address of a feed.")


async def test_a_rule_is_made_tried_and_takes_what_fits(evening: Evening) -> None:
    evening.nyaa.post(TITLE)
    evening.nyaa.post("[Other] Another Show - 01 (1080p).mkv")
    async with evening.sit() as seat:
        seat.type("3")
        await seat.sees("No rules yet.")
        seat.type("a")
        await seat.sees("Add a feed rule")
        await fill(seat, feed(evening), "Wanted, 1080p")
        await seat.sees("The rule is kept.")
        await seat.sees("with “Wanted” and “1080p”; up to 20 a day")
        seat.type("t")
        await seat.sees("items would be taken.")
        await seat.sees("without “Wanted”")
        seat.type(ESCAPE)
        await seat.sees("It took nothing so far.")
        seat.type("p")
        await seat.sees("Took 1 item. 1 feed looked at.")
        await seat.sees(f"✓ {TITLE}")
        seat.type("2")
        await seat.sees("› Wanted Show - 01")


async def test_an_address_can_be_pasted(evening: Evening) -> None:
    async with evening.sit() as seat:
        seat.type("3")
        await seat.sees("No rules yet.")
        paste(seat, f"{feed(evening)}\n")
        await seat.sees("Add a feed rule")
        seat.type(ENTER)
        await seat.sees("everything; up to 20 a day")


async def test_what_cannot_be_meant_is_said_at_its_field(evening: Evening) -> None:
    async with evening.sit() as seat:
        seat.type("3a")
        await seat.sees("Add a feed rule")
        await fill(seat, "ftp://a.example/x")
        await seat.sees("Give the http(s) address of an RSS or Atom feed.")
        seat.type(ESCAPE)
        await seat.sees_no("Add a feed rule")
        seat.type("a")
        await seat.sees("Add a feed rule")
        await fill(seat, feed(evening), "", "", "", "(")
        await seat.sees("this expression cannot be used")
        seat.type(ESCAPE)
        await seat.sees_no("Add a feed rule")


async def test_a_rule_is_changed_switched_off_and_removed(evening: Evening) -> None:
    await evening.services.feeds.add(evening.ann, feed(evening), *_plain())
    async with evening.sit() as seat:
        seat.type("3")
        await seat.sees("everything; up to 20 a day")
        seat.type(ENTER)
        await seat.sees("Change a feed rule")
        await fill(seat, "", "Dandadan")
        await seat.sees("with “Dandadan”; up to 20 a day")
        seat.type("o")
        await seat.sees("switched off: it takes nothing")
        seat.type("o")
        await seat.sees("next look")
        seat.type("x")
        await seat.sees("Remove this rule?")
        seat.type("x")
        await seat.sees("No rules yet.")


async def test_a_feed_that_cannot_be_read_says_so_on_its_row(evening: Evening) -> None:
    await evening.services.feeds.add(evening.ann, feed(evening), *_plain())
    evening.nyaa.fault = 503
    async with evening.sit() as seat:
        seat.type("3")
        await seat.sees("everything; up to 20 a day")
        seat.type("p")
        await seat.sees("failed")
        await seat.sees("127.0.0.1: it answers 503 just now; try again later")
        seat.type("t")
        await seat.sees("What rule 1 would take")
        await seat.sees("it answers 503 just now")


async def test_a_passkey_is_not_shown_on_the_list(evening: Evening) -> None:
    await evening.services.feeds.add(evening.ann, "https://tracker.example/rss?passkey=hunter2hunter2", *_plain())
    async with evening.sit() as seat:
        seat.type("3")
        await seat.sees("https://tracker.example/rss?passkey=…")
        assert "hunter2" not in seat.glass.text


def _plain() -> tuple[Terms, Saving]:
    return Terms(), Saving()


async def test_a_rule_that_went_meanwhile_is_told_and_ends_nothing(evening: Evening) -> None:
    rule = await evening.services.feeds.add(evening.ann, feed(evening), Terms(), Saving())
    async with evening.sit() as seat:
        seat.type("3")
        await seat.sees("everything; up to 20 a day")
        await evening.services.feeds.rulebook.remove(evening.ann, rule.id)
        seat.type("o")
        await seat.sees("You have no such feed rule.")
        await seat.sees("No rules yet.")


def test_a_size_is_shown_in_a_form_as_it_was_given() -> None:
    for given in (500, 1234567890, 3 << 29, 700 << 20, 123456789012345):
        values = shown(Terms(min_bytes=given), Saving())
        assert read(values)[0].min_bytes == given
    assert shown(Terms(min_bytes=3 << 29), Saving())["min_bytes"] == "1.5 GiB"
