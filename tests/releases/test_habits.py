from __future__ import annotations

import asyncio

import pytest

from uuutorrent.anime.anime import MediaId
from uuutorrent.releases import habits as room
from uuutorrent.releases.habits import Habits
from uuutorrent.releases.release import Habit
from uuutorrent.store.database import Database

SHOW, OTHER = MediaId(1), MediaId(2)


async def test_what_groups_do_is_remembered_by_show(database: Database) -> None:
    habits = Habits(database)
    await habits.learn(SHOW, [Habit("SubsPlease", 24, "a"), Habit("Erai-raws", 0, "b")])
    await habits.learn(OTHER, [Habit("SubsPlease", 0, "c")])
    await habits.learn(OTHER, [])
    assert await habits.of(SHOW) == (Habit("erai-raws", 0, "b"), Habit("subsplease", 24, "a"))
    assert await habits.of(OTHER) == (Habit("subsplease", 0, "c"),)
    assert await habits.of(MediaId(3)) == ()


async def test_a_later_reading_replaces_an_earlier_one(database: Database) -> None:
    habits = Habits(database)
    await habits.learn(SHOW, [Habit("Aye", 24, "a"), Habit("Bee", 24, "b")])
    await habits.learn(SHOW, [Habit("AYE", 0, "c"), Habit("Bee", 24, "d")])
    assert await habits.of(SHOW) == (Habit("aye", 0, "c"), Habit("bee", 24, "b"))


async def test_two_who_learn_at_once_do_not_disturb_each_other(database: Database) -> None:
    habits = Habits(database)
    for offset in range(5):
        shown = [[Habit(f"g{offset}", number, "t"), Habit("x", offset, "t")] for number in range(4)]
        await asyncio.gather(*(habits.learn(SHOW, one) for one in shown))
    known = {habit.group: habit.offset for habit in await habits.of(SHOW)}
    assert set(known) == {"g0", "g1", "g2", "g3", "g4", "x"}
    assert known["x"] == 4


async def test_strangers_cannot_fill_it_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_GROUPS", 3)
    habits = Habits(database)
    await habits.learn(SHOW, [Habit(f"g{number}", 0, "t") for number in range(9)])
    await habits.learn(SHOW, [Habit("", 0, "t"), Habit("x" * 256, 0, "t"), Habit("g1", 12, "t")])
    assert {(habit.group, habit.offset) for habit in await habits.of(SHOW)} == {("g0", 0), ("g1", 12), ("g2", 0)}
