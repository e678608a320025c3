"""Episodes out of a batch, end to end: over ssh, from a real swarm, read back over SFTP."""

from __future__ import annotations

import pytest

from tests.stories.conftest import Town
from tests.swarm import MIB, Made

pytestmark = pytest.mark.real

EPISODE = 2 * MIB + 777


def batch(town: Town, *, limit_bps: int = 0) -> Made:
    """Four episodes, subtitles for the third, and an opening, as the index lists them."""
    names = [f"[Judas] Sousou no Frieren - S01E{number:02}.mkv" for number in range(1, 5)]
    content = dict.fromkeys(names, EPISODE) | {
        "[Judas] Sousou no Frieren - S01E03.ass": 999,
        "Extras/NCOP.mkv": MIB,
    }
    title = "[Judas] Sousou no Frieren (Season 1) [1080p][HEVC x265 10bit][Batch]"
    made = town.swarm.share(title, content, limit_bps=limit_bps)
    town.nyaa.post(title, torrent=made.metainfo, size=made.size_bytes)
    return made


def test_two_people_fetch_their_episodes_out_of_one_batch(town: Town) -> None:
    show = town.anilist.add_media("Sousou no Frieren", episodes=4)
    made = batch(town, limit_bps=MIB // 4)
    house = town.house
    town.moves_in("ann")
    town.moves_in("bob")

    third = house.ssh("ann", "get", str(show.id), "3")
    assert b"Only a batch holds it: fetching 2 of 6 files, 2.0 MiB of 9.0 MiB " in b" ".join(third.stdout.split())
    house.json("ann", "get", str(show.id), "4")
    bobs = house.json("bob", "get", str(show.id), "1")
    assert bobs["files"] == [f"{made.name}/[Judas] Sousou no Frieren - S01E01.mkv"]
    town.swarm.limit(made, 0)
    done = [house.json(*words, "--wait", "60") for words in (("ann", "get", str(show.id), "3"),
            ("ann", "get", str(show.id), "4"), ("bob", "get", str(show.id), "1"))]  # fmt: skip
    assert [one["state"] for one in done] == ["complete"] * 3
    assert {one["infohash"] for one in done} == {made.infohash}

    def shown(name: str) -> list[str]:
        (folder,) = house.json(name, "files", "/torrents")
        return sorted(one["name"] for one in house.json(name, "files", f"'/torrents/{folder['name']}'"))

    assert shown("ann") == [f"[Judas] Sousou no Frieren - S01E{which}" for which in ("03.ass", "03.mkv", "04.mkv")]
    assert shown("bob") == ["[Judas] Sousou no Frieren - S01E01.mkv"]
    house.sftp("ann", f'get "/torrents/{made.name}/[Judas] Sousou no Frieren - S01E04.mkv" four.mkv')
    assert (house.home / "four.mkv").read_bytes() == made.files[f"{made.name}/[Judas] Sousou no Frieren - S01E04.mkv"]
    hidden = house.sftp(
        "ann", f'get "/torrents/{made.name}/[Judas] Sousou no Frieren - S01E01.mkv" one.mkv', check=False
    )
    assert hidden.returncode != 0
    assert house.json("bob", "whoami")["claimed_bytes"] == EPISODE
    (torrent,) = house.json("ann", "torrents")
    assert (torrent["episodes"], torrent["part"], torrent["progress"]) == ([3, 4], True, 1.0)
    stored = [place for place in (house.home / "data" / "downloads").rglob("*.mkv") if place.stat().st_blocks]
    assert len(stored) == 3


def test_a_batch_survives_a_kill_with_its_choice(town: Town) -> None:
    show = town.anilist.add_media("Sousou no Frieren", episodes=4)
    made = batch(town, limit_bps=MIB // 4)
    house = town.house
    town.moves_in("ann")
    house.json("ann", "get", str(show.id), "2")
    house.kill()
    house.start()
    town.swarm.limit(made, 0)
    got = house.json("ann", "get", str(show.id), "2", "--wait", "90", seconds=120)
    assert got["state"] == "complete"
    (folder,) = house.json("ann", "files", "/torrents")
    (file,) = house.json("ann", "files", f"'/torrents/{folder['name']}'")
    assert (file["name"], file["size"]) == ("[Judas] Sousou no Frieren - S01E02.mkv", EPISODE)


def test_the_whole_batch_comes_when_it_is_asked_for(town: Town) -> None:
    show = town.anilist.add_media("Sousou no Frieren", episodes=4)
    made = batch(town)
    town.moves_in("ann")
    got = town.house.json("ann", "get", str(show.id), "1", "--batch", "--wait", "60")
    assert (got["state"], got["batch"], got["infohash"]) == ("complete", True, made.infohash)
    entries = town.house.json("ann", "files", f"'/torrents/{made.name}'")
    assert len(entries) == 6
    assert town.house.json("ann", "get", str(show.id), "3")["infohash"] == made.infohash
