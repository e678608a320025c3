"""What was noted of a download may be long past: the daemon was off, or the engine has only just started."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.automation.clinic import BEST, SECOND, STALLED, WAIT, Clinic, opened_clinic
from uuutorrent.accounts import User
from uuutorrent.errors import Unreachable
from uuutorrent.store.database import Database
from uuutorrent.torrents.engine import Phase

# Its SQL is that of healing, whose tests are on both kinds of database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

DUE = STALLED + WAIT
"""Turns after which only blocking and replacing are left to be done."""


@pytest.fixture
async def clinic(database: Database, tmp_path: Path) -> AsyncIterator[Clinic]:
    async with opened_clinic(database, tmp_path) as opened:
        yield opened


async def week_off(clinic: Clinic) -> None:
    """Nobody looks for a week; then the healer is the first to take a turn."""
    clinic.later(days=7)
    await clinic.services.live.refresh()
    await clinic.another().run_once()


async def test_what_became_complete_while_nobody_looked_is_kept(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(DUE)
    clinic.engine.complete(clinic.hash(BEST))
    await week_off(clinic)
    assert await clinic.has(ann) == [BEST]
    assert clinic.engine.has(clinic.hash(BEST))
    await clinic.turns(2)
    assert await clinic.has(ann) == [BEST]
    assert await clinic.blocked(ann) == []


async def test_what_came_on_while_nobody_looked_is_kept(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(DUE)
    clinic.engine.progress(clinic.hash(BEST), 0.9)
    await week_off(clinic)
    assert await clinic.has(ann) == [BEST]
    await clinic.turns(2)
    assert (await clinic.steps(ann, BEST))[-1] == "recovered"


async def test_what_the_engine_does_not_list_yet_is_left_alone(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(DUE)
    clinic.engine.lose(clinic.hash(BEST))
    await week_off(clinic)
    assert await clinic.has(ann) == [BEST]


async def test_an_error_that_is_over_when_somebody_looks_again_is_held_against_nobody(
    clinic: Clinic, ann: User
) -> None:
    await clinic.get(ann)
    await clinic.turns()
    for _ in range(2 * WAIT):
        clinic.engine.change(clinic.hash(BEST), phase=Phase.ERROR)
        await clinic.turns()
    assert await clinic.steps(ann, BEST) == ["rechecked", "rechecked"]
    clinic.engine.complete(clinic.hash(BEST))
    await week_off(clinic)
    assert await clinic.has(ann) == [BEST]


async def test_what_became_complete_while_another_was_looked_for_is_kept(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(DUE + WAIT - 1)
    clinic.later(minutes=2)
    await clinic.look()
    clinic.sky.nyaa.gate.shut()
    turn = asyncio.create_task(clinic.healing.run_once())
    await clinic.sky.nyaa.gate.holds()
    clinic.engine.complete(clinic.hash(BEST))
    await clinic.services.live.refresh()
    clinic.sky.nyaa.gate.open()
    await turn
    assert await clinic.has(ann) == [BEST, SECOND]
    assert clinic.engine.has(clinic.hash(BEST))


async def test_files_that_went_with_their_disk_are_held_against_nobody(
    clinic: Clinic, ann: User, tmp_path: Path
) -> None:
    await clinic.get(ann)
    clinic.engine.complete(clinic.hash(BEST), {"Show - 03.mkv": b"x"})
    await clinic.turns(2)
    await clinic.services.library.guard.turn()
    (tmp_path / "downloads").rename(tmp_path / "unmounted")
    clinic.engine.change(clinic.hash(BEST), phase=Phase.MISSING, progress=0.0)
    await clinic.turns(3)
    assert await clinic.steps(ann, BEST) == []
    (tmp_path / "unmounted").rename(tmp_path / "downloads")
    await clinic.turns(2)
    assert await clinic.steps(ann, BEST) == ["rechecked"]


async def test_an_engine_that_comes_back_after_hours_gets_time_to_take_the_new_one(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(DUE + WAIT - 1)
    clinic.engine.add_error = Unreachable("qBittorrent", "it is busy")
    await clinic.turns()
    clinic.engine.add_error = None
    clinic.later(hours=2)
    await clinic.another().run_once()
    assert await clinic.has(ann) == [SECOND]
    await clinic.turns(2)
    assert clinic.engine.has(clinic.hash(SECOND))
    assert "failed" not in await clinic.steps(ann, BEST)


async def test_once_the_line_is_back_the_download_gets_time_before_it_is_blocked(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(DUE)
    clinic.sky.nyaa.fault = 503
    await clinic.turns(3 * WAIT)
    clinic.sky.nyaa.fault = None
    asked = clinic.engine.calls.count(f"reannounce {clinic.hash(BEST)}")
    for _ in range(3 * WAIT):
        if clinic.engine.calls.count(f"reannounce {clinic.hash(BEST)}") == asked:
            await clinic.turns()
    clinic.engine.progress(clinic.hash(BEST), 0.5)
    await clinic.turns(WAIT + 1)
    assert await clinic.has(ann) == [BEST]
    assert await clinic.blocked(ann) == []
    assert (await clinic.steps(ann, BEST))[-1] == "recovered"
