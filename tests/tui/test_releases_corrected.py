"""Putting right what was read wrongly, among the releases of an episode."""

from __future__ import annotations

import pytest

from tests.tui.evening import ENTER, ESCAPE, Evening
from tests.tui.screen import Seat
from uuutorrent.accounts import Admin, User
from uuutorrent.anime.anime import MediaId
from uuutorrent.releases.release import Correction, Form
from uuutorrent.tui.app import UuuApp

FRIEREN = MediaId(1)
ODD = "[Nobody] Sousou no Frieren Monogatari - 13 (1080p).mkv"


@pytest.fixture
def odd(evening: Evening) -> Evening:
    """The index has an episode under a title that AniList does not know."""
    evening.nyaa.post(ODD, seeders=5)
    return evening


async def opens(seat: Seat[UuuApp], fits: int = 2) -> None:
    """Look at the releases of Frieren's next episode."""
    await seat.sees("› Sousou no Frieren")
    seat.type("o")
    await seat.sees(f"{fits} fit,")
    await seat.settled()


def stands_on(seat: Seat[UuuApp], words: str) -> bool:
    return any("› " in line and words in line for line in seat.glass.lines[3:])


async def goes_to(seat: Seat[UuuApp], words: str) -> None:
    """Move down to the row with these words."""
    for _ in range(30):
        await seat.settled()
        if stands_on(seat, words):
            return
        seat.type("j")
    raise AssertionError(f"no row with {words}:\n{seat.glass.text}")


async def chooses(seat: Seat[UuuApp], label: str) -> None:
    """Press the key that stands before this choice."""
    await seat.sees("What is right?")
    await seat.sees(label)
    line = next(line for line in seat.glass.lines if label in line)
    seat.type(line.split(label)[0].split()[-1])


async def test_a_title_that_is_the_shows_is_learnt(odd: Evening) -> None:
    async with odd.sit(width=120) as seat:
        await opens(seat)
        seat.type("x")
        await goes_to(seat, ODD)
        await seat.sees("It is not episode 13")
        seat.type("c")
        await chooses(seat, "“Sousou no Frieren Monogatari” is this show")
        await seat.sees("3 fit,")
        await seat.until(lambda: stands_on(seat, f"✎ {ODD}"), "the cursor on it")
        await seat.sees("It is episode 13")
        await seat.sees("· you said that “Sousou no Frieren Monogatari” is")


async def test_what_was_said_is_shown_next_time_and_can_be_taken_back(odd: Evening) -> None:
    async with odd.sit(width=120) as seat:
        await opens(seat)
        seat.type("x")
        await goes_to(seat, ODD)
        seat.type("c")
        await chooses(seat, "This is episode 13")
        await seat.sees("3 fit,")
        seat.type(ESCAPE)
        await seat.sees_no("3 fit,")
        await opens(seat, 3)
        await goes_to(seat, f"✎ {ODD}")
        seat.type("c")
        await chooses(seat, "Take it back: ")
        await seat.sees("2 fit,")
        await seat.until(lambda: stands_on(seat, ODD), "the cursor on it")
        await seat.sees_no("✎")


async def test_the_best_one_may_be_wrong(evening: Evening) -> None:
    async with evening.sit(width=120) as seat:
        await opens(seat)
        seat.type("c")
        await chooses(seat, "This is not episode 13")
        await seat.sees("1 fit,")
        await seat.sees("★ [SubsPlease] Sousou no Frieren - 13 (720p)")
        await seat.until(lambda: stands_on(seat, "✎ [SubsPlease] Sousou no Frieren - 13 (1080p)"), "the cursor on it")
        await seat.sees("you said")


async def test_what_goes_wrong_is_told_in_place(evening: Evening, boss: Admin) -> None:
    async with evening.sit(width=120) as seat:
        await opens(seat)
        await evening.services.accounts.disable(boss, "ann")
        seat.type("c")
        await chooses(seat, "This is not episode 13")
        await seat.sees("disabled")
        await seat.sees("2 fit,")


async def test_there_may_be_nothing_to_put_right(evening: Evening) -> None:
    evening.nyaa.post("[Nobody] Sousou no Frieren S2 (01-12) [Batch].mkv", seeders=5)
    async with evening.sit(width=120) as seat:
        await opens(seat)
        seat.type("x")
        await goes_to(seat, "[Nobody] Sousou no Frieren S2 (01-12)")
        seat.type("c")
        await seat.sees("There is nothing to put right here")


async def test_nothing_is_remembered_of_a_question_that_was_left(evening: Evening) -> None:
    async with evening.sit(width=120) as seat:
        await opens(seat)
        seat.type("c")
        await seat.sees("What is right?")
        seat.type(ESCAPE)
        await seat.sees_no("What is right?")
        await seat.sees("2 fit,")
        seat.type(ESCAPE)
        await seat.sees_no("2 fit,")
        assert await evening.services.releases.corrections.mine(evening.ann) == ()


async def says(by: User, evening: Evening) -> None:
    """Somebody says that a title is Frieren's."""
    correction = Correction(Form.TITLE, FRIEREN, title="Sousou no Frieren Monogatari")
    await evening.services.releases.corrections.make(by, correction)


async def test_what_others_say_counts_once_it_is_accepted(odd: Evening, bob: User) -> None:
    await says(bob, odd)
    async with odd.sit(width=80, height=24) as seat:
        await opens(seat)
        await seat.sees("Others say: “Sousou no Frieren Monogatari” is this show    y yes  n no")
        assert "bob" not in seat.glass.text
        seat.type("y")
        await seat.sees("3 fit,")
        await seat.sees_no("Others say")


async def test_what_others_say_can_be_declined_for_good(odd: Evening, bob: User) -> None:
    await says(bob, odd)
    async with odd.sit(width=120) as seat:
        await opens(seat)
        await seat.sees("Others say")
        seat.type("n")
        await seat.sees_no("Others say")
        await seat.sees("2 fit,")
        seat.type(ESCAPE)
        await opens(seat)
        assert "Others say" not in seat.glass.text


async def test_a_taste_for_the_show_changes_what_is_best(evening: Evening) -> None:
    async with evening.sit(width=120) as seat:
        await opens(seat)
        seat.type("t")
        await seat.sees("What you like of Sousou no Frieren")
        await seat.settled()
        seat.type("720")
        seat.type(ENTER)
        await seat.sees("★ [SubsPlease] Sousou no Frieren - 13 (720p)")
        assert (await evening.services.releases.tastes.of(evening.ann, FRIEREN)).resolutions == (720,)


async def test_a_taste_is_given_from_the_watchlist_too(evening: Evening) -> None:
    async with evening.sit(width=120) as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("t")
        await seat.sees("What you like of Sousou no Frieren")
        await seat.settled()
        seat.type("720")
        seat.type(ENTER)
        await seat.sees("Your taste for Sousou no Frieren is remembered.")


async def test_every_key_is_in_the_help(evening: Evening) -> None:
    async with evening.sit(width=120, height=40) as seat:
        await opens(seat)
        seat.type("?")
        for what in ("Take it", "Rejected too", "Correct", "Taste", "Next episode", "Search again", "More reasons"):
            await seat.sees(what)
        seat.type(ESCAPE)
        await seat.sees("2 fit,")
