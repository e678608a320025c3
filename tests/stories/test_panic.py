"""Everything stands still in a real qBittorrent, over a kill -9, and then what ran before runs again."""

import os
import signal

import pytest

from tests.stories.conftest import Town
from tests.swarm import MIB

pytestmark = pytest.mark.real

SLOW_BPS = 128 * 1024


def test_everything_stands_still_over_a_kill_and_then_goes_on(town: Town) -> None:
    house = town.house
    house.add_user("ann")
    house.add_user("boss", admin=True)
    whole, slow, other = (town.swarm.share(f"{name}.mkv", 4 * MIB) for name in ("whole", "slow", "other"))
    for made in (slow, other):
        town.swarm.limit(made, SLOW_BPS)
    for made in (whole, slow, other):
        house.json("ann", "add", "-", given=made.metainfo)

    def phases() -> dict[str, str]:
        return {one["name"]: one["phase"] for one in house.json("ann", "torrents")}

    running = {whole.name: "seeding", slow.name: "downloading", other.name: "paused"}
    house.json("ann", "pause", other.infohash)
    house.until(lambda: phases() == running, "never under way")

    house.json("boss", "panic", "on", "a", "letter")
    still = {whole.name: "complete", slow.name: "paused", other.name: "paused"}
    house.until(lambda: phases() == still, "never still", 10)
    refused = house.json("ann", "resume", other.infohash, code=75)
    assert "An admin paused everything (a letter)" in refused["error"]["message"]

    os.kill(house.qbittorrent(), signal.SIGKILL)
    house.kill()
    house.start()
    house.until(lambda: phases() == still, "not still after a kill", 60)
    assert house.json("ann", "panic")["reason"] == "a letter"

    house.json("boss", "panic", "off")
    house.until(lambda: phases() == running, "never as before")
    town.swarm.limit(slow, 0)
    house.until(lambda: phases()[slow.name] == "seeding", "never complete")
    assert phases()[other.name] == "paused"
