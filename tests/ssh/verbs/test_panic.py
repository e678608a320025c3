"""panic: everything is paused by a verb, everybody is told, and what ran runs again."""

from __future__ import annotations

import pytest

from tests.ssh.prompt import an_instant
from tests.ssh.verbs.conftest import House
from uuutorrent.daemon import own_jobs, shared_jobs
from uuutorrent.torrents.engine import Phase

PAUSED = "An admin paused everything (a letter came), since "


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is stored is tested with the library."""
    return sqlite_url


async def test_admins_pause_everything_and_let_it_go_on(house: House) -> None:
    infohash = await house.holds(house.ann, "Lectures", {"one.mkv": 5})
    assert await house.ann.json("panic") == {"on": False, "since": None, "by": None, "reason": None}
    told = await house.boss.json("panic on a letter came")
    an_instant(told.pop("since"))
    assert told == {"on": True, "by": "boss", "reason": "a letter came"}
    assert house.engine.get(infohash).phase is Phase.PAUSED
    assert PAUSED in " ".join((await house.ann.says("panic")).split())

    assert await house.boss.says("panic off") == "Everything goes on.\n"
    assert house.engine.get(infohash).phase is Phase.DOWNLOADING
    assert await house.boss.says("panic off") == "Nothing was paused by an admin.\n"


async def test_everybody_reads_it_beside_every_answer_and_adds_nothing(house: House) -> None:
    await house.boss.json("panic on a letter came")
    answer = await house.ann.type("torrents --json")
    assert (answer.code, answer.json) == (0, [])
    assert answer.err.startswith(PAUSED)
    refused = await house.ann.type(f"add magnet:?xt=urn:btih:{'a' * 40}")
    assert (refused.code, refused.out) == (75, "")
    assert refused.err.startswith(PAUSED)
    assert refused.err.endswith("It goes on when that is taken back.\n")
    polled = await house.ann.type("feeds poll")
    assert polled.code == 75
    await house.boss.type("panic off")
    assert (await house.ann.type("torrents")).err == ""


async def test_nobody_else_has_the_key(house: House) -> None:
    assert await house.ann.fails("panic on", 3) == "only admins may do that"
    assert await house.ann.fails("panic off", 3) == "only admins may do that"


async def test_jobs_that_start_or_remove_something_take_no_turn_meanwhile(house: House) -> None:
    turns: list[str] = []
    panic = house.services.library.panic

    async def turn() -> None:
        turns.append("taken")

    await house.boss.json("panic on")
    await panic.pauses(turn)()
    assert turns == []
    await house.boss.json("panic off")
    await panic.pauses(turn)()
    assert turns == ["taken"]
    jobs = (*shared_jobs(house.services), *own_jobs(house.services))
    wait = {job.name for job in jobs if getattr(job.turn, "__qualname__", "").startswith(panic.pauses.__qualname__)}
    assert wait == {"feeds", "autopilot", "healing", "seeding", "tidying", "resume"}
