"""correct release, offset and title; corrections and what hangs on it; also by those who may not."""

from __future__ import annotations

import pytest

from tests.ssh.verbs.conftest import House


async def test_a_release_that_is_not_the_episode_is_not_taken_again(house: House) -> None:
    show, good = house.frieren.id, house.post(3, seeders=5)
    wrong = house.nyaa.post("[SubsPlease] Sousou no Frieren - 03 (1080p) [BAD].mkv", seeders=9000)
    assert (await house.ann.json(f"search {show} 3"))["best"] == wrong.infohash
    said = await house.ann.says(f"correct release {show} 3 {wrong.infohash[:12]} --is-not")
    assert said.splitlines()[0] == "Remembered as 1; others who look at this show are offered it:"
    assert "[BAD].mkv is not episode 3." in said
    assert (await house.ann.json(f"search {show} 3"))["best"] == good.infohash
    assert (await house.bob.json(f"search {show} 3"))["best"] == wrong.infohash
    await house.ann.json(f"correct release {show} 3 {wrong.infohash} --is")
    assert (await house.ann.json(f"search {show} 3"))["best"] == wrong.infohash
    assert [one["form"] for one in await house.ann.json("corrections")] == ["is"]


async def test_what_one_says_is_offered_and_accepted(house: House) -> None:
    show = house.frieren.id
    posted = house.nyaa.post("[Aye] Sousou no Frieren - 31 (1080p).mkv")
    assert (await house.ann.json(f"search {show} 3"))["best"] is None
    made = await house.ann.json(f"correct offset {show} 28 --group Aye")
    assert made == {
        "id": 1,
        "media_id": show,
        "form": "offset",
        "infohash": None,
        "episode": None,
        "group": "Aye",
        "offset": 28,
        "title": None,
        "for_all": False,
    }
    assert (await house.ann.json(f"search {show} 3"))["best"] == posted.infohash
    assert await house.bob.json(f"corrections offers {show}") == [made]
    assert "ann" not in (await house.bob.says(f"corrections offers {show}"))
    assert (await house.bob.json(f"search {show} 3"))["best"] is None
    assert "It counts for you from now on:" in await house.bob.says("corrections accept 1")
    assert (await house.bob.json(f"search {show} 3"))["best"] == posted.infohash
    assert await house.bob.json(f"corrections offers {show}") == []
    assert await house.bob.says("corrections remove 1")
    assert await house.bob.json("corrections") == []
    assert await house.ann.json("corrections") == [made]


async def test_a_title_that_belongs_to_the_show_is_looked_for(house: House) -> None:
    show = house.frieren.id
    posted = house.nyaa.post("[Aye] Frieren at the Funeral - 03 (1080p).mkv")
    await house.ann.says(f"correct title {show} Frieren at the Funeral")
    assert (await house.ann.json(f"search {show} 3"))["best"] == posted.infohash
    shown = (await house.ann.says("corrections")).splitlines()
    assert shown[0].split() == ["ID", "MEDIA", "FOR", "IT", "SAYS"]
    assert "“Frieren at the Funeral” is this show" in shown[1]


async def test_what_was_declined_is_not_offered_again(house: House) -> None:
    show = house.frieren.id
    await house.ann.says(f"correct title {show} Frieren at the Funeral")
    assert "It does not count for you:" in await house.bob.says("corrections decline 1")
    assert await house.bob.says(f"corrections offers {show}") == "Nobody else says anything of this show.\n"
    assert await house.bob.says("corrections") == "You corrected nothing.\n"
    assert len(await house.ann.json("corrections")) == 1


async def test_an_admin_lets_one_count_for_everybody(house: House) -> None:
    show = house.frieren.id
    posted = house.nyaa.post("[Aye] Sousou no Frieren - 31 (1080p).mkv")
    assert await house.boss.says("corrections all") == "Nobody corrected anything.\n"
    await house.ann.says(f"correct offset {show} 28 --group Aye")
    assert len(await house.boss.json("corrections all")) == 1
    assert "It counts for everybody:" in await house.boss.says("corrections share 1 on")
    assert (await house.bob.json(f"search {show} 3"))["best"] == posted.infohash
    assert " everybody " in await house.boss.says("corrections all")
    await house.bob.says("corrections decline 1")
    assert (await house.bob.json(f"search {show} 3"))["best"] is None
    assert "It counts for those who accept it:" in await house.boss.says("corrections share 1 off")
    assert (await house.boss.json(f"search {show} 3"))["best"] is None


@pytest.mark.parametrize("line", ["corrections all", "corrections share 1 on", "corrections share 1 off"])
async def test_who_is_no_admin_is_refused(house: House, line: str) -> None:
    await house.ann.says(f"correct title {house.frieren.id} Frieren at the Funeral")
    assert "only admins" in await house.ann.fails(line, 3)
    assert (await house.boss.json("corrections all"))[0]["for_all"] is False


async def test_nobody_changes_what_others_said(house: House) -> None:
    await house.ann.says(f"correct title {house.frieren.id} Frieren at the Funeral")
    assert "you have no such correction" in await house.bob.fails("corrections remove 1", 4)
    assert "you have no such correction" in await house.boss.fails("corrections remove 1", 4)
    assert len(await house.ann.json("corrections")) == 1


async def test_what_cannot_be_is_refused(house: House) -> None:
    show, posted = house.frieren.id, house.post(3)
    house.nyaa.post("[Aye] Sousou no Frieren - 03 (720p).mkv", infohash=f"{posted.infohash[:8]}{'0' * 32}")
    for line, code, said in (
        (f"correct release {show} 3 {posted.infohash}", 2, "--is-not"),
        (f"correct release {show} 3 {posted.infohash[:8]} --is", 2, "fits 2 releases"),
        (f"correct release {show} 3 abc --is", 2, "at least 6 characters"),
        (f"correct release {show} 3 {'e' * 40} --is", 4, f"search {show} 3 --all"),
        (f"correct release {show} 29 {posted.infohash} --is", 4, "lists no release"),
        (f"correct release {show} 0 {posted.infohash} --is", 2, ">= 1"),
        (f"correct offset {show} 5001", 2, "0 to 5000"),
        (f"correct offset {show} -- -1", 2, ">= 0"),
        (f"correct title {show}", 2, "2 to 255 characters"),
        (f"correct title {show} '!?'", 2, "letters or digits"),
        ("correct title 999 Something", 4, "999"),
        ("corrections accept 1", 4, "there is no such correction"),
        ("corrections decline 1", 4, "there is no such correction"),
        ("corrections remove 1", 4, "there is no such correction"),
        ("corrections accept one", 2, "one"),
    ):
        assert said in await house.ann.fails(line, code), line
    assert await house.ann.json("corrections") == []


async def test_text_from_people_does_not_drive_the_terminal(house: House) -> None:
    show = house.frieren.id
    await house.ann.type(f"correct title {show} 'Evil\x1b]0;owned\x07\u202eeltit'")
    await house.ann.type(f"correct offset {show} 1 --group 'Evil\x1b[2J\x9b'")
    for line in (f"corrections offers {show}", "corrections accept 1", "corrections"):
        answer = await house.bob.says(line)
        assert all(char.isprintable() or char == "\n" for char in answer)
