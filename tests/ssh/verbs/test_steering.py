"""The verbs that change a torrent: for its owner, for others, and while qBittorrent is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ssh.verbs.conftest import House
from uuutorrent.ssh.call import Verb
from uuutorrent.ssh.verbs import steering
from uuutorrent.torrents.engine import Phase


def example(verb: Verb, infohash: str) -> str:
    """A line that uses the verb on a torrent."""
    rest = {"priority": "all --to skip", "sequential": "on", "limit": "--down 1M"}
    return f"{verb.name[0]} {infohash} {rest.get(verb.name[0], '')}".strip()


PER_TORRENT = [*steering.VERBS, Verb("show HASH", steering.pause)]
each_verb = pytest.mark.parametrize("verb", PER_TORRENT, ids=lambda verb: verb.name[0])


async def test_pausing_resuming_and_checking(house: House) -> None:
    infohash = await house.holds(house.ann)
    for verb, phase in (("pause", Phase.PAUSED), ("resume", Phase.DOWNLOADING), ("recheck", Phase.CHECKING)):
        answer = await house.ann.json(f"{verb} {infohash[:8]}")
        assert set(answer) == {"infohash", "message"}
        assert house.engine.get(infohash).phase is phase
    assert await house.ann.says(f"pause {infohash}") == "Paused Lecture.\n"


async def test_pausing_what_others_have_too_says_that_it_goes_on(house: House) -> None:
    infohash = await house.holds(house.ann)
    await house.holds(house.bob)
    assert "goes on" in await house.ann.says(f"pause {infohash}")
    assert house.engine.get(infohash).phase is Phase.DOWNLOADING
    for line in ("sequential {} on", "limit {} --down 1M", "priority {} 0 --to skip"):
        assert "Others claim" in await house.ann.fails(line.format(infohash), 3)


@pytest.mark.parametrize(("option", "stays"), [("", True), ("--files", False)])
async def test_deleting_takes_the_files_only_when_asked(house: House, option: str, stays: bool) -> None:
    infohash = await house.holds(house.ann)
    path = Path(house.engine.get(infohash).save_path) / "Lecture/Show - 01.mkv"
    await house.completes(infohash, {"Lecture/Show - 01.mkv": bytes(1000), "Lecture/Show - 02.mkv": bytes(2000)})
    answer = await house.ann.json(f"delete {infohash} {option}".strip())
    assert answer["infohash"] == infohash
    assert await house.ann.json("torrents") == []
    assert await house.ann.json("files /torrents") == []
    assert path.exists() is stays


async def test_priorities_are_set_by_index_range_or_for_all(house: House) -> None:
    infohash = await house.holds(house.ann, files={f"{n}.mkv": 100 for n in range(6)})

    async def levels() -> list[str]:
        return [file["priority"] for file in (await house.ann.json(f"show {infohash}"))["files"]]

    answer = await house.ann.json(f"priority {infohash[:8]} 0 2-3,5 --to skip")
    assert answer == {"infohash": infohash, "files": [0, 2, 3, 5], "priority": "skip"}
    assert await levels() == ["skip", "normal", "skip", "skip", "normal", "skip"]
    assert await house.ann.says(f"priority {infohash} all --to max") == "6 files: max\n"
    assert await levels() == ["max"] * 6
    await house.ann.says(f"priority {infohash} 1 --to high")
    assert await levels() == ["max", "high", "max", "max", "max", "max"]


async def test_priorities_of_nothing_are_refused(house: House) -> None:
    for words, said in (
        ("--to skip", "say which files"),
        ("0", "--to"),
        ("0 --to faster", '"skip"'),
        ("2 --to skip", "indexes are 0 to 1"),
        ("0-999999 --to skip", "indexes are 0 to 1"),
        ("1-0 --to skip", "indexes are 0 to 1"),
        ("one --to skip", "no index"),
        ("-- -1", "--to"),
        (f"{'0,' * 300} --to skip", "say which files"),
    ):
        infohash = await house.holds(house.ann)
        answer = await house.ann.type(f"priority {infohash} {words}")
        assert answer.code == 2
        assert said in answer.err


async def test_order_and_limits(house: House) -> None:
    infohash = await house.holds(house.ann)
    assert await house.ann.json(f"sequential {infohash} on") == {"infohash": infohash, "sequential": True}
    await house.services.live.refresh()
    limited = await house.ann.json(f"limit {infohash} --down 2M --up 500K")
    assert limited == {"infohash": infohash, "down_limit_bps": 2 << 20, "up_limit_bps": 500 << 10}
    await house.services.live.refresh()
    assert (await house.ann.json(f"limit {infohash} --up 0"))["down_limit_bps"] == 2 << 20
    await house.services.live.refresh()
    (torrent,) = await house.ann.json("torrents")
    assert (torrent["sequential"], torrent["down_limit_bps"], torrent["up_limit_bps"]) == (True, 2 << 20, 0)
    shown = await house.ann.says(f"show {infohash}")
    assert "at most 2.0 MiB/s" in shown
    assert "in order" in shown
    assert await house.ann.says(f"limit {infohash} --down 0") == "down: no limit, up: no limit\n"
    assert await house.ann.says(f"sequential {infohash} off") == "sequential: off\n"


@pytest.mark.parametrize(
    ("options", "said"), [("", "which limit"), ("--down fast", "500K"), ("--up -1", "500K"), ("--down 9999T", "faster")]
)
async def test_limits_that_are_none_are_refused(house: House, options: str, said: str) -> None:
    infohash = await house.holds(house.ann)
    assert said in await house.ann.fails(f"limit {infohash} {options}".strip(), 2)


@each_verb
async def test_somebody_elses_torrent_is_not_there(house: House, verb: Verb) -> None:
    infohash = await house.holds(house.ann)
    before, calls = house.engine.get(infohash), list(house.engine.calls)
    for who in (house.bob, house.boss):
        for typed in (infohash, infohash[:10], "ab" * 20):  # nobody has the last one, and that looks the same
            assert await who.fails(example(verb, typed), 4) == f"you have no torrent {typed}"
    assert (house.engine.get(infohash), house.engine.calls) == (before, calls)


@each_verb
async def test_while_qbittorrent_is_away_verbs_say_so(house: House, verb: Verb) -> None:
    infohash = await house.holds(house.ann)
    await house.away()
    answer = await house.ann.type(f"{example(verb, infohash)} --json")
    if verb.name == ("delete",):  # the claim is gone at once, the torrent when it is back
        assert (answer.code, "as soon as qBittorrent answers" in answer.json["message"]) == (0, True)
    else:
        assert (answer.code, answer.json["error"]["code"]) == (75, "unreachable")
        assert "qBittorrent" in answer.err
