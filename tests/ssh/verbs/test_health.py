"""health: what does not do well, for admins; and what everybody is told of their own torrents."""

from __future__ import annotations

from tests.ssh.prompt import an_instant
from tests.ssh.verbs.conftest import House
from uuutorrent.torrents.engine import Phase


async def unwell(house: House) -> str:
    infohash = await house.holds(house.ann, "Lectures", {"one.mkv": 5})
    await house.holds(house.bob, "Good", {"two.mkv": 5})
    house.engine.change(infohash, phase=Phase.MISSING, progress=0.5)
    await house.services.live.refresh()
    await house.services.observations.look_once()
    return infohash


async def test_admins_see_what_is_not_well_with_owner_and_reason(house: House) -> None:
    assert await house.boss.says("health") == "Everything does well.\n"
    infohash = await unwell(house)
    (one,) = await house.boss.json("health")
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
    (one,) = await house.boss.json("health")
    assert one["step"] == "its files were checked again"
    assert "its files were checked again" in " ".join((await house.boss.says("health")).split())


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
