"""search: its document, its words, and what it says when there is nothing to take."""

from __future__ import annotations

from tests.ssh.prompt import an_instant
from tests.ssh.verbs.conftest import House

ANSWER = {"best", "left_bytes", "said", "offer_batch", "wait_until", "asked", "candidates"}
CANDIDATE = {
    "infohash", "title", "verdict", "score", "confidence", "corrected", "reasons", "lead", "episodes", "batch", "kind",
    "group", "resolution", "version", "source", "codec", "audio", "subtitles", "seeders", "size", "trusted", "remake",
    "posted_at", "page",
}  # fmt: skip


async def test_a_search_lists_candidates_best_first_with_reasons(house: House) -> None:
    wanted, other = house.post(5), house.post(6)
    found = await house.ann.json(f"search {house.frieren.id} 5")
    assert set(found) == ANSWER
    assert (found["offer_batch"], found["wait_until"]) == (None, None)
    assert any("Sousou no Frieren" in query for query in found["asked"])
    assert found["best"] == wanted.infohash
    first, second = found["candidates"]
    assert set(first) == CANDIDATE
    assert (first["infohash"], first["title"], first["verdict"]) == (wanted.infohash, wanted.title, "match")
    assert (first["seeders"], first["size"], first["version"], first["batch"]) == (900, 1000, 1, False)
    assert (first["group"], first["resolution"]) == ("SubsPlease", 1080)
    assert (first["episodes"], first["confidence"], first["corrected"]) == ([5, 5], 1.0, False)
    assert isinstance(first["score"], float)
    assert all(isinstance(reason, str) for reason in first["reasons"])
    assert (second["infohash"], second["verdict"]) == (other.infohash, "reject")
    assert second["reasons"]


async def test_a_search_in_words_shows_hashes_that_get_takes(house: House) -> None:
    wanted, other = house.post(5), house.post(6)
    shown = await house.ann.says(f"search {house.frieren.id} 5")
    assert shown.startswith(f"→ {wanted.infohash}  900 seeders  1000 B\n    {wanted.title}\n")
    assert other.infohash not in shown
    assert shown.endswith("\n✗ 1 release rejected; --all shows why\n")
    shown = await house.ann.says(f"search {house.frieren.id} 5 --all")
    assert f"\n✗ {other.infohash}" in shown
    assert "episode 6, not 5" in shown
    assert (await house.ann.json(f"get {house.frieren.id} 5 --release {wanted.infohash.upper()}"))["state"] == "added"


async def test_a_search_that_finds_nothing_says_what_there_is(house: House) -> None:
    show = house.anilist.add_media("Dandadan", episodes=24, next_episode=14)
    for episode in range(1, 13):
        house.nyaa.post(f"[Group] Dandadan - {episode:02} (1080p).mkv")
    found = await house.ann.json(f"search {show.id} 14")
    assert found["best"] is None
    assert len(found["candidates"]) == 12
    shown = await house.ann.says(f"search {show.id} 14")
    assert shown.startswith("Episode 14 of Dandadan has not aired yet.")
    assert shown.count("✗ ") == 11
    assert shown.endswith("✗ 2 more releases rejected; --all shows why\n")
    assert (await house.ann.says(f"search {show.id} 14 --all")).count("✗ ") == 12


async def test_the_date_and_the_page_of_a_release_are_told(house: House) -> None:
    house.nyaa.post("[SubsPlease] Sousou no Frieren - 05 (1080p) [Dual Audio].mkv", trusted=True)
    (one,) = (await house.ann.json(f"search {house.frieren.id} 5"))["candidates"]
    assert an_instant(one["posted_at"]).year == 2026
    assert one["page"].startswith("http")
    assert (one["trusted"], one["remake"], one["kind"]) == (True, False, "episode")


async def test_what_won_says_what_it_has_over_the_next(house: House) -> None:
    for lines in (1080, 720):
        house.nyaa.post(f"[SubsPlease] Sousou no Frieren - 05 ({lines}p).mkv", seeders=900)
    assert "Before the next: 1080p before 720p." in await house.ann.says(f"search {house.frieren.id} 5")
    first, second = (await house.ann.json(f"search {house.frieren.id} 5"))["candidates"]
    assert (first["lead"], second["lead"]) == ("1080p before 720p", "")


async def test_a_batch_of_what_is_left_is_offered(house: House) -> None:
    show = house.anilist.add_media("Rakugaki Tantei", episodes=12, status="FINISHED")
    house.nyaa.post("[Yoake] Rakugaki Tantei - 01 [1080p].mkv")
    batch = house.nyaa.post("[Yoake] Rakugaki Tantei (01-12) [1080p] [Batch]", size=6_000_000_000)
    assert (await house.ann.json(f"search {show.id} 1"))["offer_batch"] == batch.infohash
    assert f"≡ {batch.infohash}  a batch of 5.6 GiB has all" in await house.ann.says(f"search {show.id} 1")


async def test_what_is_corrected_says_so(house: House) -> None:
    other = house.post(6)
    await house.ann.says(f"correct release {house.frieren.id} 5 {other.infohash} --is")
    found = await house.ann.json(f"search {house.frieren.id} 5")
    (one,) = [one for one in found["candidates"] if one["infohash"] == other.infohash]
    assert (one["verdict"], one["corrected"], one["episodes"]) == ("match", True, [5, 5])
    assert f"→ {other.infohash}  900 seeders  1000 B  corrected" in await house.ann.says(f"search {house.frieren.id} 5")


async def test_what_others_say_stands_beside_the_answer(house: House) -> None:
    house.post(5)
    await house.bob.says(f"correct offset {house.frieren.id} 24 --group Hoshizora")
    shown = await house.ann.says(f"search {house.frieren.id} 5")
    assert shown.startswith("Others say: Hoshizora runs 24 ahead of the show's own numbers. See: corrections")


async def test_before_anything_is_claimed_it_is_told_what_it_needs_and_what_is_left(house: House) -> None:
    house.post(5)
    found = await house.ann.json(f"search {house.frieren.id} 5")
    assert found["left_bytes"] == 50 << 30
    assert "no room" not in await house.ann.says(f"search {house.frieren.id} 5")

    await house.boss.says("users quota ann --size 600")
    assert (await house.ann.json(f"search {house.frieren.id} 5"))["left_bytes"] == 600
    told = await house.ann.says(f"search {house.frieren.id} 5")
    assert "There is no room for the best: it needs 1 KiB, you have 600 B of 600 B left." in told
    assert "600 B of your 600 B are free" in await house.ann.fails(f"get {house.frieren.id} 5", 3)
    await house.boss.says("users quota ann --size 0")
    assert (await house.ann.json(f"search {house.frieren.id} 5"))["left_bytes"] is None
