"""taste, taste show, taste set, taste clear: documents, text, and what is refused."""

from __future__ import annotations

from tests.ssh.verbs.conftest import House

USUAL = {
    "resolutions": [1080, 720, 480],
    "groups": [],
    "blocked_groups": [],
    "codecs": [],
    "bit_depths": [],
    "sources": [],
    "languages": ["en"],
    "dual_audio": False,
    "dubs": False,
    "min_bytes_per_min": None,
    "max_bytes_per_min": None,
    "min_seeders": 1,
    "trusted_only": False,
    "remakes": False,
    "wait_min": 0,
}


async def test_a_taste_is_shown_and_changed_in_parts(house: House) -> None:
    before = await house.ann.json("taste")
    assert before == USUAL
    changed = await house.ann.json(
        "taste set --resolutions 720p,1080 --groups SubsPlease 'Erai raws' --codecs hevc --min-seeders 3 "
        "--remakes --max-size 720M --min-size 5M/min --blocked-groups Bad --languages French en --bit-depths 10 "
        "--sources bd --dual-audio --dubs --trusted-only --wait 6h"
    )
    assert changed == await house.ann.json("taste")
    assert changed == {
        "resolutions": [720, 1080],
        "groups": ["SubsPlease", "Erai raws"],
        "blocked_groups": ["Bad"],
        "codecs": ["HEVC"],
        "bit_depths": [10],
        "sources": ["BD"],
        "languages": ["fr", "en"],
        "dual_audio": True,
        "dubs": True,
        "min_bytes_per_min": 5 << 20,
        "max_bytes_per_min": 30 << 20,
        "min_seeders": 3,
        "trusted_only": True,
        "remakes": True,
        "wait_min": 360,
    }
    less = await house.ann.json(
        "taste set --groups --blocked-groups --languages --no-remakes --no-dubs --max-size 0 --min-size 0 --wait 0"
    )
    nothing = {"groups": [], "blocked_groups": [], "languages": [], "remakes": False, "dubs": False, "wait_min": 0}
    assert less == {**changed, **nothing, "min_bytes_per_min": None, "max_bytes_per_min": None}
    assert await house.bob.json("taste") == before


async def test_a_taste_reads_well(house: House) -> None:
    await house.ann.says("taste set --codecs hevc --max-size 2G --wait 90")
    shown = await house.ann.says("taste")
    for line in (
        "Lines, best first       1080, 720, 480\n",
        "Groups, best first      any\n",
        "Wait for the first      90 min\n",
        "Languages, best first   en\n",
        "Codecs, best first      HEVC\n",
        "Smallest size           any\n",
        "Largest size            2 GiB\n",
    ):
        assert line in shown


async def test_a_show_has_a_taste_of_its_own_over_it(house: House) -> None:
    show = house.frieren.id
    await house.ann.says("taste set --groups SubsPlease --min-seeders 2")
    changed = await house.ann.json(f"taste set --show {show} --resolutions 720 --groups")
    there = {"media_id": show, "changed": ["groups", "resolutions"], **USUAL, "resolutions": [720], "min_seeders": 2}
    assert changed == await house.ann.json(f"taste show {show}") == there
    more = await house.ann.json(f"taste set --show {show} --dubs")
    assert more == {**there, "changed": ["dubs", "groups", "resolutions"], "dubs": True}
    assert await house.ann.json("taste") == {**USUAL, "groups": ["SubsPlease"], "min_seeders": 2}
    assert (await house.bob.json(f"taste show {show}"))["changed"] == []
    shown = await house.ann.says(f"taste show {show}")
    assert "* Lines, best first       720\n" in shown
    assert "  Least seeders           2\n" in shown
    assert "* only for this show" in shown


async def test_what_a_show_has_of_its_own_decides_what_is_found(house: House) -> None:
    house.post(5)
    show = house.frieren.id
    assert (await house.ann.json(f"search {show} 5"))["best"]
    await house.ann.says(f"taste set --show {show} --blocked-groups SubsPlease")
    assert (await house.ann.json(f"search {show} 5"))["best"] is None
    assert (await house.bob.json(f"search {show} 5"))["best"]


async def test_a_shows_taste_is_cleared_in_parts_or_whole(house: House) -> None:
    show = house.frieren.id
    await house.ann.says(f"taste set --show {show} --resolutions 720 --blocked-groups Bad --dubs")
    assert (await house.ann.json(f"taste clear {show} blocked-groups"))["changed"] == ["dubs", "resolutions"]
    assert (await house.ann.json(f"taste clear {show}"))["changed"] == []
    assert (await house.ann.json(f"taste clear {show}"))["changed"] == []
    assert "As everywhere." in await house.ann.says(f"taste show {show}")
    assert "no preference colour" in await house.ann.fails(f"taste clear {show} colour", 2)


async def test_a_taste_that_means_nothing_is_refused(house: House) -> None:
    for options, said in (
        ("", "say what to change"),
        ("--show 1001", "say what to change"),
        ("--resolutions", "at least one resolution"),
        ("--resolutions 1081", "resolution"),
        ("--resolutions best", "best is not a number"),
        ("--codecs divx", "AVC, HEVC, AV1"),
        ("--languages klingon", "klingon is none of"),
        ("--min-seeders -1", ">= 0"),
        ("--min-seeders 1000000", "seeders"),
        ("--max-size huge", "700 MiB"),
        ("--min-size 2G --max-size 1G", "nothing would fit"),
        ("--show 1001 --min-size 2G --max-size 1G", "nothing would fit"),
        ("--wait soon", "90 min or 6 h"),
        ("--groups ''", "1 to 100 characters"),
    ):
        before = await house.ann.json("taste")
        assert said in await house.ann.fails(f"taste set {options}".strip(), 2)
        assert await house.ann.json("taste") == before
        assert (await house.ann.json("taste show 1001"))["changed"] == []
