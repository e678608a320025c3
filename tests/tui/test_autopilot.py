"""The autopilot as a person meets it: its mode, the plan before anything is taken, what it is after, one show."""

from __future__ import annotations

import pytest

from tests.tui.evening import ESCAPE, Evening
from tests.tui.screen import Seat
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.autopilot.pursuit import Confirmed, State
from uuutorrent.automation.preferences import Mode
from uuutorrent.store.database import Database
from uuutorrent.tui.app import UuuApp

FRIEREN, DANDADAN = MediaId(1), MediaId(2)


async def opened(seat: Seat[UuuApp]) -> None:
    """Wait for the list, and open the autopilot over it."""
    await seat.sees("Sousou no Frieren")
    seat.type("A")
    await seat.sees("Off  Ask  On")


async def mode_of(evening: Evening) -> Mode:
    return (await evening.services.preferences.of(evening.ann)).autopilot


@pytest.mark.parametrize(("width", "height"), [(120, 40), (80, 24), (40, 12)])
async def test_it_is_switched_on_only_after_its_plan_was_shown(evening: Evening, width: int, height: int) -> None:
    async with evening.sit(width=width, height=height) as seat:
        await opened(seat)
        await seat.sees("It is off: m switches it on")
        seat.type("m")
        await seat.sees("What the autopilot does")
        seat.type("n")
        await seat.sees("Switching the autopilot to on")
        await seat.sees("Nothing is taken before you")
        await seat.sees("2.6 GiB of 50 GiB")
        if height >= 24:
            await seat.sees("✓ Sousou no Frieren")
            await seat.sees("· Kaguya-sama [Ultra]")
            await seat.sees("2 episodes, 2.6 GiB · 3 to be searched for")
            await seat.sees("t Take all of it  n Only new episodes")
        assert await mode_of(evening) is Mode.OFF
        seat.type("n")
        await seat.sees_no("Switching the autopilot")
        await seat.sees("New episodes are fetched")
    assert await mode_of(evening) is Mode.ON
    after = await evening.services.autopilot.pursuits(evening.ann)
    assert not [one for one in after if one.asked]


async def test_who_thinks_better_of_it_has_switched_nothing(evening: Evening) -> None:
    async with evening.sit() as seat:
        await opened(seat)
        seat.type("m")
        await seat.sees("What the autopilot does")
        seat.type("a")
        await seat.sees("Switching the autopilot to ask")
        seat.type(ESCAPE)
        await seat.sees_no("Switching the autopilot")
        await seat.sees("It is off: m switches it on")
    assert await mode_of(evening) is Mode.OFF
    assert await evening.services.autopilot.pursuits(evening.ann) == ()


async def test_all_of_the_plan_is_taken_when_that_is_said(evening: Evening) -> None:
    async with evening.sit(width=110) as seat:
        await opened(seat)
        seat.type("m")
        await seat.sees("What the autopilot does")
        seat.type("n")
        await seat.sees("Nothing is taken before you say so.")
        seat.type("t")
        await seat.sees("that aired already are taken now.")
        await seat.sees("looks now")
        await evening.services.autopilot.run_once()
        await seat.sees("✓ Sousou no Frieren")
        seat.type(ESCAPE)
        await seat.sees_no("Off  Ask  On")
        seat.type("2")
        await seat.sees("Sousou no Frieren - 13 (1080p)")
        await seat.sees("Sousou no Frieren - 14 (1080p)")


async def test_what_it_is_after_is_listed_with_the_next_look_and_can_be_taken_or_left_out(evening: Evening) -> None:
    await evening.services.autopilot.switch(evening.ann, Mode.ASK, confirmed=Confirmed.NEW)
    await evening.services.autopilot.run_once()
    async with evening.sit(width=80, height=24) as seat:
        await opened(seat)
        await seat.sees("new episodes are offered in your inbox")
        await seat.sees("› ○ Dandadan")
        await seat.sees("airs in 3h")
        await seat.sees("t Take  s Skip")
        seat.type("s")
        await seat.sees("Dandadan, episode 5 is left out.")
        await seat.sees("You said no.")
    (skipped,) = [one for one in await evening.services.autopilot.pursuits(evening.ann) if one.media_id == DANDADAN]
    assert skipped.state is State.SKIPPED


async def test_switching_off_needs_no_plan(evening: Evening) -> None:
    await evening.services.autopilot.switch(evening.ann, Mode.ON, confirmed=Confirmed.NEW)
    async with evening.sit() as seat:
        await opened(seat)
        await seat.sees("new episodes are fetched once they can be had")
        seat.type("m")
        await seat.sees("What the autopilot does")
        seat.type("o")
        await seat.sees("Nothing is fetched by itself.")
    assert await mode_of(evening) is Mode.OFF


async def test_one_show_can_be_treated_otherwise_and_is_marked(evening: Evening) -> None:
    async with evening.sit(width=80, height=24) as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("m")
        await seat.sees("The autopilot, for one show")
        await seat.sees("Now: off, as for all shows.")
        seat.type("a")
        await seat.sees("For this show: new episodes are offered")
        await seat.sees("autopilot ask")
        row = next(line for line in seat.glass.lines if line.startswith("› Sousou"))
        assert row.endswith("?")
        assert await evening.services.autopilot.modes(evening.ann) == {FRIEREN: Mode.ASK}
        seat.type("m")
        await seat.sees("Now: ask, only for it.")
        seat.type("d")
        await seat.sees("As for all shows: nothing")
        await seat.sees_no("autopilot ask")
    assert await evening.services.autopilot.modes(evening.ann) == {}


async def test_a_list_that_cannot_be_had_is_said_in_the_plan_and_nothing_is_switched(evening: Evening) -> None:
    async with evening.sit(width=110) as seat:
        await opened(seat)
        evening.anilist.fault = "outage"
        seat.type("p")
        await seat.sees("AniList:")
        assert "t Take all of it" not in seat.glass.text
        assert "n Only new" not in seat.glass.text
        seat.type("t")
        await seat.settled()
        await seat.sees("AniList:")
    assert await mode_of(evening) is Mode.OFF


async def test_a_database_that_is_away_is_said(evening: Evening, database: Database) -> None:
    async with evening.sit(width=110) as seat:
        await opened(seat)
        await seat.sees("It is off")
        await database.__aexit__()
        seat.type("m")
        await seat.sees("What the autopilot does")
        seat.type("n")
        await seat.sees("it is being closed")


async def test_a_mode_can_be_clicked(evening: Evening) -> None:
    async with evening.sit(width=110) as seat:
        await opened(seat)
        y, line = next((y, line) for y, line in enumerate(seat.glass.lines) if "Off  Ask  On" in line)
        x = line.index("Ask") + 2
        seat.type(f"\x1b[<0;{x};{y + 1}M\x1b[<0;{x};{y + 1}m")
        await seat.sees("Switching the autopilot to ask")


async def test_its_keys_are_in_the_help(evening: Evening) -> None:
    async with evening.sit(width=110, height=50) as seat:
        await seat.sees("› Sousou no Frieren")
        seat.type("?")
        await seat.sees("What is fetched by itself.")
        await seat.sees("The autopilot, for this show only.")
