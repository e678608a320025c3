"""The screen 6 Admin: services, jobs, feeds, penalties, the machine, and the audit."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.desks import Built, built
from tests.tui.evening import ENTER
from tests.tui.office import at_admin, go_to, turn_to
from uuutorrent.accounts import Admin, User
from uuutorrent.automation.every import Job, take_turn
from uuutorrent.automation.feeds.rule import Saving, Terms
from uuutorrent.errors import Unreachable
from uuutorrent.machine import MERGED
from uuutorrent.penalties import Offence, source_of
from uuutorrent.store.database import Database
from uuutorrent.tui.admin.gauges import sparkline


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Built]:
    async with built(database, tmp_path) as opened:
        yield opened


async def test_services_are_shown_with_how_they_answered_last(house: Built, ann: User, boss: Admin) -> None:
    house.services.tally.count("dependency_requests", "nyaa", "ok")
    with house.services.tally.dependency("nyaa"):
        pass
    with pytest.raises(Unreachable), house.services.tally.dependency("anilist"):
        raise Unreachable("AniList", "no answer in 15 s")
    async with at_admin(house, boss.user, width=80, height=24) as seat:
        await turn_to(seat, "Services")
        await seat.sees("✗ AniList")
        await seat.sees("does not answer")
        await seat.sees("● Nyaa")
        await seat.sees("○ qBittorrent")
        await seat.sees("● Database")
        await go_to(seat, "AniList")
        await seat.sees("no answer in 15 s")


async def test_jobs_are_shown_with_their_last_turn_those_that_failed_first(house: Built, boss: Admin) -> None:
    async def fails() -> None:
        raise Unreachable("Nyaa", "no answer in 10 s")

    async def works() -> None:
        """There is nothing to do."""

    for name, turn in (("arrivals", works), ("feeds", fails)):
        await take_turn(Job(name, 1, 1, turn), house.services.tally)
    async with at_admin(house, boss.user) as seat:
        await turn_to(seat, "Jobs")
        await seat.sees("● arrivals")
        await seat.sees("✗ feeds")
        await seat.sees("1 of 1")
        await seat.sees("feeds went well never")
        await seat.sees("no answer in 10 s")


async def test_feeds_that_fail_are_shown_without_their_secrets(house: Built, ann: User, boss: Admin) -> None:
    book = house.services.feeds.rulebook
    now = datetime.now(UTC)
    await book.add(ann, "https://tracker.example/rss?passkey=geheim", Terms(), Saving(), now)
    (feed,) = await book.due(now)
    async with at_admin(house, boss.user) as seat:
        await turn_to(seat, "Feeds")
        await seat.sees("Every feed answers.")
        await book.failed(feed, "It answered 503.", now)
        seat.type("R")
        await seat.sees("tracker.example")
        await seat.sees("It answered 503.")
        assert "geheim" not in seat.glass.text


async def test_a_penalty_is_lifted(house: Built, boss: Admin) -> None:
    penalties = house.services.penalties
    penalties.add(source_of("192.0.2.66"), Offence.WRONG, 50)
    async with at_admin(house, boss.user) as seat:
        await turn_to(seat, "Penalties")
        await seat.sees("192.0.2.66")
        seat.type(ENTER)
        await seat.sees("Let 192.0.2.66 try again now?")
        seat.type("y")
        await seat.sees("192.0.2.66 may sign in again.")
    assert penalties.every(boss) == ()


async def test_the_machine_is_plotted_over_an_hour_and_below_over_a_day(house: Built, boss: Admin) -> None:
    for _ in range(MERGED + 2):
        await house.services.machine.sample_once()
    async with at_admin(house, boss.user, width=80, height=24) as seat:
        await turn_to(seat, "Machine")
        await seat.sees("Memory")
        assert re.search(r"Memory +\d+ % +[▁▂▃▄▅▆▇█]+", seat.glass.text)
        await go_to(seat, "Memory")
        await seat.sees("The last day")
        await seat.sees("on average")
        await go_to(seat, "Traffic")
        await seat.sees("left this machine in")


async def test_what_was_done_is_found_in_the_audit(house: Built, ann: User, boss: Admin) -> None:
    await house.services.accounts.disable(boss, "ann")
    await house.services.accounts.enable(boss, "ann")
    async with at_admin(house, boss.user, width=80, height=24) as seat:
        await turn_to(seat, "Audit")
        await seat.sees("users disable")
        await seat.sees("users enable")
        seat.type("/")
        await seat.sees("With these words")
        await seat.settled()
        seat.type("disable" + ENTER)
        await seat.sees("only: disable")
        await seat.sees_no("users enable")
        seat.type("/")
        await seat.sees("With these words")
        await seat.settled()
        await seat.clears()
        seat.type("nothing so" + ENTER)
        await seat.sees("Nothing like that was noted.")


def test_a_plot_has_the_newest_at_the_right_and_its_top_is_the_most() -> None:
    assert sparkline([0.0, 0.5, 1.0], 3, 3, most=1.0) == "▁▅█"
    assert sparkline([1.0], 4, 4, most=1.0) == "   █"
    assert sparkline([0.1, 0.9, None, None], 4, 2, most=1.0) == "█ "
    assert sparkline([5.0], 1, 3, most=0.0) == "▁▁▁"
    assert sparkline([], 360, 0, most=1.0) == " "


async def test_on_a_narrow_terminal_the_section_that_is_shown_is_named(house: Built, boss: Admin) -> None:
    async with at_admin(house, boss.user, width=60, height=16) as seat:
        await turn_to(seat, "Penalties")
        await seat.sees("Nobody failed to sign in lately.")
