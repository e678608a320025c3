"""feeds add, list, poll, test, change, enable, disable, remove, log: documents, text, and what is refused."""

from __future__ import annotations

import pytest

from tests.ssh.verbs.conftest import House

LINK = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567"


async def rule(house: House, options: str = "") -> str:
    """A rule of Ann's for the index's feed."""
    made = await house.ann.json(f"feeds add {house.nyaa.url}/?page=rss {options}")
    assert list(made) == ["rule"]
    return str(made["rule"])


async def test_a_rule_takes_what_fits_and_tells(house: House) -> None:
    post = house.post(5)
    house.nyaa.post("[Other] Another Show - 01 (1080p).mkv")
    number = await rule(house, "--include frieren 1080p --exclude HEVC --daily 3")
    assert await house.ann.json("feeds poll") == {
        "polled": 1,
        "taken": [{"rule": int(number), "infohash": post.infohash, "title": post.title}],
        "errors": [],
    }
    assert [one["infohash"] for one in await house.ann.json("torrents")] == [post.infohash]
    assert (await house.ann.json("feeds poll"))["taken"] == []
    (shown,) = await house.ann.json("feeds list")
    assert (shown["rule"], shown["enabled"], shown["last_error"], shown["taken"]) == (int(number), True, None, 1)
    assert shown["url"].endswith("/?page=rss")
    assert shown["last_polled_at"].endswith("Z")
    (noted,) = await house.ann.json("feeds log")
    assert (noted["outcome"], noted["title"], noted["infohash"]) == ("taken", post.title, post.infohash)


async def test_a_rule_reads_well(house: House) -> None:
    house.post(5)
    number = await rule(house, "--include frieren 'ep 5' --any --min-size 500 --max-size 2G --min-seeders 2 --stopped")
    listed = " ".join((await house.ann.says("feeds list")).split())
    assert "with “frieren” or “ep 5”; at least 500 B; at most 2.0 GiB; 2 seeders or more; added stopped" in listed
    assert "not read yet" in listed
    tested = await house.ann.says(f"feeds test {number}")
    assert "→ [SubsPlease] Sousou no Frieren - 05 (1080p)" in tested
    assert "→ [SubsPlease] Sousou no Frieren - 05 (1080p)" in await house.ann.says("feeds poll")
    assert "Nothing new in 1 feed." in await house.ann.says("feeds poll")
    assert "1 item taken" in await house.ann.says("feeds list")


async def test_testing_tells_the_reasons_and_takes_nothing(house: House) -> None:
    house.post(5)
    number = await rule(house, "--include HEVC --regex 'S\\d\\dE\\d\\d'")
    (tried,) = await house.ann.json(f"feeds test {number}")
    assert (tried["fits"], tried["reasons"]) == (False, ["without “HEVC”", "the expression is not found"])
    assert await house.ann.json("torrents") == []


async def test_a_rule_is_changed_in_parts_switched_off_and_removed(house: House) -> None:
    house.post(5)
    number = await rule(house, "--include Dandadan --max-size 1G")
    changed = await house.ann.json(f"feeds change {number} --include Frieren --max-size 0 --show 0")
    assert (changed["include"], changed["max_bytes"], changed["media_id"]) == (["Frieren"], None, None)
    assert (await house.ann.json(f"feeds disable {number}"))["enabled"] is False
    assert await house.ann.json("feeds poll") == {"polled": 0, "taken": [], "errors": []}
    assert (await house.ann.json(f"feeds enable {number}"))["enabled"] is True
    assert await house.ann.json(f"feeds remove {number}") == {"rule": int(number)}
    assert await house.ann.json("feeds list") == []
    assert "No rules." in await house.ann.says("feeds list")


async def test_a_feed_that_cannot_be_read_is_told_on_stderr_and_on_its_row(house: House) -> None:
    house.nyaa.fault = 503
    await rule(house)
    done = await house.ann.type("feeds poll")
    assert (done.code, "it answers 503 just now" in done.err) == (0, True)
    assert "✗ 127.0.0.1: it answers 503 just now" in await house.ann.says("feeds list")


@pytest.mark.parametrize(
    ("line", "status", "told"),
    [
        ("feeds add magnet:?xt=x", 2, "address of an RSS or Atom feed"),
        ("feeds add http://a.example/rss --regex '('", 2, "this expression cannot be used"),
        ("feeds add http://a.example/rss --min-size 2G --max-size 1G", 2, "the smallest size is larger"),
        ("feeds add http://a.example/rss --max-size big", 2, "big is no size"),
        ("feeds change 1 --exclude x", 4, "You have no such feed rule."),
        ("feeds change 1", 2, "say what to change"),
        ("feeds test 1", 4, "You have no such feed rule."),
        ("feeds remove 1", 4, "You have no such feed rule."),
        ("feeds enable 99", 4, "You have no such feed rule."),
    ],
)
async def test_what_is_refused(house: House, line: str, status: int, told: str) -> None:
    done = await house.ann.type(line)
    assert (done.code, told in done.err) == (status, True), done


async def test_the_rules_of_others_are_nobodys_business(house: House) -> None:
    number = await rule(house)
    for verb in ("test", "enable", "disable", "remove", "change --exclude x"):
        done = await house.bob.type(f"feeds {verb.partition(' ')[0]} {number} {verb.partition(' ')[2]}")
        assert done.code == 4
    assert await house.bob.json("feeds list") == []
    assert await house.bob.json(f"feeds log {number}") == []
