"""How what the autopilot is after, and its plan, read on a line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from uuutorrent.accounts import UserId
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.autopilot.pursuit import Plan, Planned, Pursuit, State
from uuutorrent.torrents.usage import Usage
from uuutorrent.tui import flights
from uuutorrent.tui.cells import Piece

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
ONE = Pursuit(
    id=1, user_id=UserId(1), media_id=MediaId(7), episode=3, state=State.WANTED, infohash="", title="", why="", tries=0,
    try_at=NOW + timedelta(hours=1), at=NOW - timedelta(hours=1), asked=False, replaces="",
)  # fmt: skip


def words(pursuit: Pursuit) -> list[str]:
    cells = flights.pursuit_row(pursuit, "Dandadan", NOW).cells
    return [cell.text for cell in cells if isinstance(cell, Piece)]


@pytest.mark.parametrize(
    ("change", "when"),
    [
        ({}, "looks in 1h"),
        ({"try_at": NOW}, "looks now"),
        ({"at": NOW + timedelta(days=2)}, "airs in 2d"),
        ({"state": State.TAKING}, "being taken"),
        ({"state": State.TAKEN}, "1h ago"),
        ({"state": State.OFFERED}, "1h ago"),
    ],
)
def test_when_it_is_looked_for_or_what_became_of_it(change: dict[str, object], when: str) -> None:
    assert words(replace(ONE, **change))[4] == when  # type: ignore[arg-type]  # as given


def test_every_state_has_a_mark_of_its_own_or_is_over() -> None:
    marks = [words(replace(ONE, state=state))[0] for state in State]
    assert len(marks) == len(State)
    assert words(replace(ONE, state=State.MOOT, why="You have seen it."))[3:] == [
        "no need",
        "1h ago",
        "You have seen it.",
    ]


def test_what_asks_comes_first_then_what_is_looked_for_then_what_is_over() -> None:
    asks = replace(ONE, id=2, state=State.OFFERED)
    later = replace(ONE, id=3, episode=4)
    over = replace(ONE, id=4, state=State.TAKEN)
    assert [one.id for one in flights.in_order([over, later, ONE, asks])] == [2, 1, 3, 4]


def test_the_sum_of_a_plan_says_what_it_leaves_of_the_quota() -> None:
    usage = Usage(bytes=40 << 30, torrents=3, quota_bytes=50 << 30, quota_torrents=0)
    unknown = Planned(MediaId(7), "Dandadan", 3, None, 0, "Nothing certain.")
    plan = Plan((unknown,), 1, 1, usage, left_out=30)
    lines = ["".join(span.text for span in line.left) for line in flights.planned_sum(plan)]
    assert lines == [
        "0 episodes, 0 B · 1 to be searched for",
        "After it you have 40 GiB of 50 GiB, 3 torrents (now 40 GiB, 3)",
        "30 more episodes of shows that are many behind stay out of it.",
    ]


def test_a_planned_episode_says_why_it_stands_there() -> None:
    unknown = Planned(MediaId(7), "Dandadan", 3, None, 0, "Nothing certain.")
    assert [span.text for line in flights.planned_about(unknown) for span in line.left] == [
        "Dandadan", ", episode 3", "Nothing certain.",
    ]  # fmt: skip
    row = flights.planned_row(0, unknown)
    assert [cell.text for cell in row.cells if isinstance(cell, Piece)] == [
        "·", "Dandadan", "3", "?", "none is certain so far",
    ]  # fmt: skip
