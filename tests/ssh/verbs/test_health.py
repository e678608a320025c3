"""health: what does not do well, for admins; and what everybody is told of their own torrents."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.ssh.prompt import an_instant
from tests.ssh.verbs.conftest import House
from uuutorrent.automation.every import Job, take_turn
from uuutorrent.automation.feeds.rule import Saving, Terms
from uuutorrent.errors import Unreachable
from uuutorrent.torrents.engine import Phase


async def unwell(house: House) -> str:
    infohash = await house.holds(house.ann, "Lectures", {"one.mkv": 5})
    await house.holds(house.bob, "Good", {"two.mkv": 5})
    house.engine.change(infohash, phase=Phase.MISSING, progress=0.5)
    await house.services.live.refresh()
    await house.services.observations.look_once()
    return infohash


async def test_admins_see_what_is_not_well_with_owner_and_reason(house: House) -> None:
    assert (await house.boss.says("health")).startswith("Every torrent does well.\n")
    infohash = await unwell(house)
    (one,) = (await house.boss.json("health"))["torrents"]
    an_instant(one.pop("since"))
    assert one == {
        "infohash": infohash,
        "name": "Lectures",
        "health": "broken",
        "cause": "missing",
        "why": "qBittorrent does not find its files any more",
        "step": "",
        "complete": False,
        "progress": 0.5,
        "media_id": None,
        "episode": None,
        "owners": ["ann"],
    }
    text = await house.boss.says("health")
    assert "broken" in text
    assert "Lectures [ann]: qBittorrent" in text
    assert "Good" not in text


async def test_what_is_being_done_about_it_is_said(house: House) -> None:
    await unwell(house)
    await house.services.healing.run_once()
    (one,) = (await house.boss.json("health"))["torrents"]
    assert one["step"] == "its files were checked again"
    assert "its files were checked again" in " ".join((await house.boss.says("health")).split())


async def test_admins_are_told_of_services_jobs_feeds_disk_and_backups(house: House) -> None:
    async def fails() -> None:
        raise Unreachable("Nyaa", "no answer in 10 s")

    services, now = house.services, datetime.now(UTC)
    with pytest.raises(Unreachable), services.tally.dependency("nyaa"):
        await fails()
    await take_turn(Job("feeds", 1, 1, fails), services.tally)
    await take_turn(Job("guard", 1, 10, services.upkeep.guard_once), services.tally)
    await services.feeds.rulebook.add(house.ann.user, "https://tracker.example/rss?key=geheim", Terms(), Saving(), now)
    (feed,) = await services.feeds.rulebook.due(now)
    await services.feeds.rulebook.failed(feed, "It answered 503.", now)
    services.tally.mark("backup_last_success_timestamp_seconds", now.timestamp(), "files")

    told = await house.boss.json("health")
    by_name = {one["service"]: one for one in told["services"]}
    assert [by_name[name]["state"] for name in ("nyaa", "database")] == ["timeout", "ok"]
    assert by_name["nyaa"]["why"] == "Nyaa: no answer in 10 s"
    assert (by_name["nyaa"]["asked"], by_name["nyaa"]["failed"]) == (1, 1)
    assert 0 < by_name["database"]["latency_s"] < 5
    assert [(one["job"], one["outcome"], one["failed"]) for one in told["jobs"]] == [
        ("feeds", "failed", 1), ("guard", "ok", 0)
    ]  # fmt: skip
    assert [one["error"] for one in told["feeds"]] == ["It answered 503."]
    assert "geheim" not in str(told)
    assert told["disk"]["free"] > 0
    assert told["backups"]["files"] is not None
    assert told["backups"]["second"] is told["backups"]["drilled"] is None
    text = await house.boss.says("health")
    for line in (
        "Nyaa         does not answer",
        "feeds  not this time",
        "It answered 503.",
        "Backups: the newest is from",
    ):
        assert line in text


async def test_who_is_no_admin_does_not_see_it(house: House) -> None:
    await unwell(house)
    assert await house.ann.fails("health", 3) == "only admins may do that"


async def test_everybody_is_told_how_their_own_do(house: House) -> None:
    infohash = await unwell(house)
    why = "qBittorrent does not find its files any more"
    (hers,) = await house.ann.json("torrents")
    assert (hers["health"], hers["why"]) == ("broken", why)
    (his,) = await house.bob.json("torrents")
    assert (his["health"], his["why"]) == ("well", "")
    both = {one["name"]: one["health"] for one in await house.boss.json("torrents --all")}
    assert both == {"Lectures": "broken", "Good": "well"}
    assert (await house.ann.json(f"show {infohash}"))["torrent"]["health"] == "broken"
    assert f"broken: {why}" in await house.ann.says(f"show {infohash}")
    assert "(broken: " in await house.ann.says("torrents")
