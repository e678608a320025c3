"""machine: how the machine does, for admins."""

from __future__ import annotations

import pytest

from tests.ssh.verbs.conftest import House
from uuutorrent.machine import FIGURES


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """It hardly asks the database anything."""
    return sqlite_url


async def test_admins_are_told_how_the_machine_does(house: House) -> None:
    assert "Nothing was measured yet" in await house.boss.says("machine")
    for _ in range(2):
        await house.services.machine.sample_once()
    told = await house.boss.json("machine")
    assert told["samples"] == 2
    assert told["traffic"] == await house.boss.json("traffic")
    assert set(told["now"]) == set(told["hour"]) == set(told["day"]) == set(FIGURES)
    assert 0 < told["now"]["memory"] < 1
    assert told["hour"]["memory"]["most"] >= told["hour"]["memory"]["mean"]
    shown = await house.boss.says("machine")
    assert "Memory" in shown
    assert "%" in shown


async def test_nobody_else_is_told(house: House) -> None:
    assert await house.ann.fails("machine", 3) == "only admins may do that"
