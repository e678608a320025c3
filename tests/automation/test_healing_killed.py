"""A daemon that is killed inside any call to the outside, and two that take turns at once: nothing lost or doubled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.automation.clinic import BEST, SECOND, STALLED, WAIT, Clinic, opened_clinic
from uuutorrent.accounts import User
from uuutorrent.automation.inbox.inbox import Kind
from uuutorrent.store.database import Database

STEPS = ["reannounced", "rechecked", "blocked", "replaced", "added"]


class Killed(BaseException):
    """The daemon is gone."""


@pytest.fixture
async def clinic(database: Database, tmp_path: Path) -> AsyncIterator[Clinic]:
    async with opened_clinic(database, tmp_path) as opened:
        yield opened


def killing(monkeypatch: pytest.MonkeyPatch, at: object, verb: str, *, after: bool) -> None:
    """The next call of this verb ends the daemon: before anything came of it, or right after."""
    does: Callable[..., Awaitable[Any]] = getattr(at, verb)

    async def call(*given: object, **more: object) -> Any:
        monkeypatch.undo()
        if after:
            await does(*given, **more)
        raise Killed

    monkeypatch.setattr(at, verb, call)


async def until_told(clinic: Clinic, user: User) -> None:
    """The daemon is started anew, and goes on until it says that something was replaced."""
    healing = clinic.another()
    for _ in range(5 + 2 * WAIT):
        if not await clinic.told(user):
            await clinic.turns(1, healing)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("verb", ["reannounce", "recheck", "add", "delete"])
async def test_killed_at_a_call_to_the_engine_it_goes_on(
    clinic: Clinic, ann: User, monkeypatch: pytest.MonkeyPatch, verb: str, after: bool
) -> None:
    await clinic.get(ann)
    turns = {"reannounce": STALLED, "recheck": STALLED + WAIT}.get(verb, STALLED + 2 * WAIT)
    await clinic.turns(turns - 2)
    killing(monkeypatch, clinic.engine, verb, after=after)
    with pytest.raises(Killed):
        await clinic.turns(4)
    await until_told(clinic, ann)
    assert await clinic.has(ann) == [SECOND]
    assert await clinic.steps(ann, BEST) == STEPS
    assert not clinic.engine.has(clinic.hash(BEST))
    assert clinic.engine.calls.count(f"add {clinic.hash(SECOND)}") <= 2
    assert len(await clinic.told(ann, Kind.REPLACED)) == 1


@pytest.mark.parametrize("verb", ["search", "torrent_file"])
async def test_killed_while_it_asks_the_index_it_asks_again(
    clinic: Clinic, ann: User, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    await clinic.get(ann)
    await clinic.turns(STALLED + 2 * WAIT - 2)
    killing(monkeypatch, clinic.services.releases._nyaa, verb, after=True)
    with pytest.raises(Killed):
        await clinic.turns(4)
    await until_told(clinic, ann)
    assert await clinic.has(ann) == [SECOND]
    assert await clinic.steps(ann, BEST) == STEPS
    assert len(await clinic.told(ann)) == 1


async def test_two_healers_at_once_do_everything_once(clinic: Clinic, ann: User, bob: User) -> None:
    await clinic.get(ann)
    await clinic.get(bob)
    other = clinic.another()
    for _ in range(STALLED + 2 * WAIT + 1):
        clinic.later(seconds=120)
        await clinic.look()
        await asyncio.gather(clinic.healing.run_once(), other.run_once())
        await clinic.checked()
    await clinic.settle()
    for user in (ann, bob):
        assert await clinic.has(user) == [SECOND]
        assert await clinic.steps(user, BEST) == STEPS
        assert len(await clinic.told(user)) == 1
    calls = clinic.engine.calls
    assert calls.count(f"reannounce {clinic.hash(BEST)}") == calls.count(f"recheck {clinic.hash(BEST)}") == 1


async def test_what_the_engine_refuses_is_sent_back_and_another_is_tried(
    clinic: Clinic, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the change of claims and the add, and then the engine does not take it at all."""
    await clinic.get(ann)
    await clinic.turns(STALLED + 2 * WAIT - 1)
    killing(monkeypatch, clinic.engine, "add", after=False)
    with pytest.raises(Killed):
        await clinic.turns(2)
    clinic.engine.lose_adds = True
    await clinic.turns(32, clinic.another())
    assert await clinic.has(ann) == [BEST]
    assert (await clinic.lines(ann, BEST))[-1].text.endswith("could not take its place: qBittorrent does not take it.")
    assert SECOND in await clinic.blocked(ann)
    assert [one.step for one in await clinic.lines(ann, BEST) if one.can_be_undone] == ["blocked"]
    assert await clinic.told(ann, Kind.REPLACED) == []
