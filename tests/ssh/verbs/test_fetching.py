"""get, grabs: documents, exit codes, and what is said while something outside is away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.ssh.prompt import an_instant
from tests.ssh.verbs.conftest import House
from tests.torrents import metainfos


async def test_getting_an_episode_tells_its_steps(house: House) -> None:
    post = house.post(5)
    got = await house.ann.json(f"get {house.frieren.id} 5")
    assert got["infohash"] == post.infohash
    assert (got["state"], got["title"], got["media_id"], got["episode"]) == ("added", post.title, house.frieren.id, 5)
    assert isinstance(got["grab"], int)
    assert [step["step"] for step in got["steps"]] == ["watchlist", "search", "rank", "add", "link"]
    assert got["ms"] == pytest.approx(sum(step["ms"] for step in got["steps"]), abs=0.5)
    assert datetime.now(UTC) - an_instant(got["asked_at"]) < timedelta(minutes=1)
    (torrent,) = await house.ann.json("torrents")
    assert (torrent["media_id"], torrent["episode"]) == (house.frieren.id, 5)
    shown = await house.ann.says(f"get {house.frieren.id} 5")
    assert shown.startswith("Added in ")
    assert post.title in " ".join(shown.split())


async def test_without_a_number_it_is_the_next_unwatched_episode(house: House) -> None:
    house.post(3)
    await house.ann.says(f"watch {house.frieren.id}")
    await house.ann.says(f"progress {house.frieren.id} 2")
    assert (await house.ann.json(f"get {house.frieren.id}"))["episode"] == 3


async def test_waiting_ends_when_it_is_complete(house: House) -> None:
    post = house.post(5)
    asked = asyncio.create_task(house.ann.json(f"get {house.frieren.id} 5 --wait 20"))
    async with asyncio.timeout(10):
        while not house.engine.has(post.infohash):  # noqa: ASYNC110 - the engine tells nobody
            await asyncio.sleep(0.01)
    await house.completes(post.infohash, {post.title: bytes(1000)})
    got = await asked
    assert (got["state"], got["infohash"]) == ("complete", post.infohash)
    assert (await house.ann.json(f"get {house.frieren.id} 5"))["state"] == "complete"
    assert (await house.ann.says(f"get {house.frieren.id} 5")).startswith("Complete: ")


async def test_waiting_in_vain_says_so_and_tells_how_it_is(house: House) -> None:
    house.post(5)
    answer = await house.ann.type(f"get {house.frieren.id} 5 --wait 0.05 --json")
    assert (answer.code, answer.json["state"]) == (0, "added")
    assert "not complete after 0.05 s" in answer.err


async def test_what_cannot_be_asked_for_is_refused(house: House) -> None:
    for options, code, said in (
        ("5 --quality hd", 2, "1080"),
        ("5 --quality 1", 2, "no quality 1"),
        ("5 --release abc", 2, "not a whole infohash"),
        ("5 --wait -1", 2, "seconds"),
        ("5 --wait nan", 2, "seconds"),
        ("5 --wait 1e300", 2, "seconds"),
        ("0", 2, ">= 1"),
        ("", 4, "not on your watchlist"),
    ):
        answer = await house.ann.type(f"get {house.frieren.id} {options} --json")
        assert answer.code == code
        assert said in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("line", "code"), [("get 1001 29", 4), ("get 999 1", 4), (f"get 1001 5 --release {'a' * 40}", 4)]
)
async def test_a_grab_that_fails_shows_the_grab_and_the_error(house: House, line: str, code: int) -> None:
    house.post(5)
    answer = await house.ann.type(f"{line} --json")
    failed = answer.json
    assert (answer.code, failed["state"], failed["error"]["code"]) == (code, "failed", "missing")
    assert failed["error"]["message"] == failed["reason"] == answer.err.rstrip("\n")
    assert (await house.ann.type(line)).out == ""
    assert await house.ann.json("torrents") == []


@pytest.mark.parametrize(("fault", "code", "name"), [(503, 75, "unreachable"), ("html", 76, "unexpected")])
async def test_an_index_that_is_away_fails_the_grab(house: House, fault: int | str, code: int, name: str) -> None:
    house.nyaa.fault = fault
    answer = await house.ann.type(f"get {house.frieren.id} 5 --json")
    assert (answer.code, answer.json["error"]["code"], answer.json["state"]) == (code, name, "failed")
    assert "Nyaa" in answer.err


async def test_while_qbittorrent_is_away_a_grab_is_noted_down_and_says_to_come_back(house: House) -> None:
    post = house.post(5)
    await house.away()
    for _ in range(2):
        answer = await house.ann.type(f"get {house.frieren.id} 5 --json")
        assert (answer.code, answer.json["error"]["code"]) == (75, "unreachable")
        assert (answer.json["state"], answer.json["infohash"]) == ("claimed", post.infohash)
        assert "as soon as qBittorrent answers" in answer.err


async def test_somebody_over_quota_is_refused(house: House) -> None:
    house.post(5)
    await house.boss.says("users quota ann --bytes 500")
    answer = await house.ann.type(f"get {house.frieren.id} 5 --json")
    assert (answer.code, answer.json["error"]["code"]) == (3, "refused")


async def test_grabs_are_ones_own_newest_first(house: House) -> None:
    post = house.post(5)
    await house.ann.says(f"get {house.frieren.id} 5")
    await house.ann.type(f"get {house.frieren.id} 29")
    failed, added = await house.ann.json("grabs")
    assert (failed["state"], failed["episode"], failed["title"]) == ("failed", 29, "")
    assert (added["state"], added["episode"], added["title"]) == ("added", 5, post.title)
    shown = await house.ann.says("grabs")
    assert f"{added['asked_at']}  {house.frieren.id} episode 5: added\n    {post.title}\n" in shown
    assert await house.bob.json("grabs") == []
    assert await house.bob.says("grabs") == "Nothing was fetched yet.\n"


async def test_titles_of_posts_do_not_drive_the_terminal(house: House) -> None:
    title = "[\x9b31mEvil\u202e] Sousou no Frieren - 05 (1080p).mkv"
    house.nyaa.post(title, torrent=None, size=1000)
    for line in ("search 1001 5", "get 1001 5", "torrents", "grabs"):
        assert all(char.isprintable() or char == "\n" for char in await house.ann.says(line))
        assert (await house.ann.type(f"{line} --json")).out.rstrip("\n").isprintable()


def post_batch(house: House, *, sizes: int = 1000, episodes: int = 28) -> str:
    names = {f"[SubsPlease] Sousou no Frieren - {number:02} (1080p).mkv": sizes for number in range(1, episodes + 1)}
    title = "[SubsPlease] Sousou no Frieren (01-28) (1080p) [Batch]"
    raw = metainfos.several("Sousou no Frieren", names)
    return house.nyaa.post(title, torrent=raw, size=sizes * episodes, seeders=900).infohash


async def test_an_episode_out_of_a_batch_says_so(house: House) -> None:
    infohash = post_batch(house)
    answer = await house.ann.type(f"get {house.frieren.id} 5 --json")
    name = "[SubsPlease] Sousou no Frieren - 05 (1080p).mkv"
    assert (answer.json["infohash"], answer.json["batch"], answer.json["whole_batch"]) == (infohash, True, False)
    assert answer.json["files"] == [f"Sousou no Frieren/{name}"]
    assert "Only a batch holds it: fetching 1 of 28 files, 1 KiB of 27 KiB" in answer.err
    said = await house.ann.says(f"get {house.frieren.id} 6")
    assert "Only a batch holds it: fetching 1 of 28 files" in " ".join(said.split())
    (torrent,) = await house.ann.json("torrents")
    assert (torrent["episode"], torrent["episodes"], torrent["part"], torrent["size"]) == (None, [5, 6], True, 2000)
    assert "episodes 5-6 of a batch; its other files are not fetched" in await house.ann.says(f"show {infohash[:10]}")
    skipped = [one["priority"] for one in (await house.ann.json(f"show {infohash}"))["files"]].count("skip")
    assert skipped == 26


async def test_the_whole_batch_is_fetched_on_request(house: House) -> None:
    infohash = post_batch(house)
    await house.ann.says(f"get {house.frieren.id} 5")
    answer = await house.ann.type(f"get {house.frieren.id} 5 --batch --json")
    assert (answer.json["infohash"], answer.json["batch"], answer.json["whole_batch"]) == (infohash, True, True)
    assert answer.json["files"] == []
    assert "Fetching the whole batch: 28 files, 27 KiB" in answer.err
    (torrent,) = await house.ann.json("torrents")
    assert (torrent["size"], torrent["part"], torrent["episodes"]) == (28000, False, [*range(1, 29)])


async def test_the_refusal_of_a_batch_tells_what_the_part_needs(house: House) -> None:
    mib = 1 << 20
    post_batch(house, sizes=350 * mib)
    await house.boss.says(f"users quota ann --bytes {800 * mib}")
    assert (await house.ann.says(f"get {house.frieren.id} 5")).startswith("Added")
    refused = await house.ann.type(f"get {house.frieren.id} 5 --batch --json")
    assert refused.code == 3
    assert refused.json["error"]["message"] == (
        "It needs 9.2 GiB; 450 MiB of your 800 MiB are free. Delete something first."
    )


async def test_a_batch_of_which_nothing_can_be_told_says_what_it_holds(house: House) -> None:
    raw = metainfos.several("Frieren", {"a.mkv": 10, "b.mkv": 20})
    house.nyaa.post("[SubsPlease] Sousou no Frieren (01-28) (1080p) [Batch]", torrent=raw, size=28000, seeders=900)
    answer = await house.ann.type(f"get {house.frieren.id} 5")
    assert answer.code == 4
    assert "Which of its files episode 5 is cannot be told for sure" in answer.err
    said = " ".join((await house.ann.says("grabs")).split())
    assert "Only a batch holds it: [SubsPlease] Sousou no Frieren (01-28) (1080p) [Batch]." in said


async def test_without_any_batch_there_is_none_to_fetch(house: House) -> None:
    house.post(5)
    answer = await house.ann.type(f"get {house.frieren.id} 5 --batch --json")
    assert answer.code == 4
    assert "No batch with episode 5" in answer.json["error"]["message"]
