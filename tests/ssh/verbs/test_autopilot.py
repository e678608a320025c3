"""autopilot, off, ask, on, plan, show, decide: documents, text, and what is refused."""

from __future__ import annotations

import pytest

from tests.ssh.verbs.conftest import House


@pytest.fixture
async def watching(house: House) -> House:
    """Ann has seen 26 of 28 episodes; one of the others is posted."""
    show = house.frieren.id
    for line in (f"watch {show}", f"status {show} current", f"progress {show} 26"):
        await house.ann.json(line)
    house.post(27)
    return house


async def test_switched_on_without_a_word_it_shows_the_plan_and_changes_nothing(watching: House) -> None:
    ann = watching.ann
    answer = await ann.type("autopilot on --json")
    failed = answer.json
    assert (answer.code, failed["error"]["code"]) == (5, "conflict")
    assert "Say --confirm all to take this" in " ".join(answer.err.split())
    assert [(one["episode"], one["fits"], one["size"]) for one in failed["plan"]["episodes"]] == [
        (27, True, 1000),
        (28, True, None),
    ]
    assert (await ann.json("autopilot"))["mode"] == "off"


async def test_the_plan_is_read_by_people(watching: House) -> None:
    said = " ".join((await watching.ann.says("autopilot plan")).split())
    assert "→ Sousou no Frieren, episode 27 1 KiB [SubsPlease] Sousou no Frieren - 27" in said
    assert "· Sousou no Frieren, episode 28 Nothing certain among the posts" in said
    assert said.endswith("after this it would be 1 KiB.")


async def test_what_was_confirmed_is_looked_for_and_can_be_decided(watching: House) -> None:
    ann = watching.ann
    assert "2 that aired already are taken now." in " ".join((await ann.says("autopilot on --confirm all")).split())
    first, second = reversed((await ann.json("autopilot"))["pursuits"])
    assert [one["state"] for one in (first, second)] == ["wanted", "wanted"]
    assert await ann.json(f"autopilot decide {second['id']} skip") == {"id": second["id"], "choice": "skip"}
    await watching.services.autopilot.run_once()
    states = {one["episode"]: one["state"] for one in (await ann.json("autopilot"))["pursuits"]}
    assert states == {27: "taken", 28: "skipped"}
    assert [one["episode"] for one in await ann.json("torrents")] == [27]


async def test_a_show_has_a_mode_of_its_own(watching: House) -> None:
    ann, show = watching.ann, watching.frieren.id
    await ann.json("autopilot on --confirm new")
    assert await ann.json(f"autopilot show {show} off") == {"media_id": show, "mode": "off"}
    assert (await ann.json("autopilot"))["shows"] == [{"media_id": show, "title": "Sousou no Frieren", "mode": "off"}]
    assert "Sousou no Frieren: off" in await ann.says("autopilot")
    await ann.json(f"autopilot show {show} default")
    assert (await ann.json("autopilot"))["shows"] == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("autopilot show 1 sometimes", 2),
        ("autopilot on --confirm perhaps", 2),
        ("autopilot decide 1 perhaps", 2),
        ("autopilot decide 99 take", 4),
    ],
)
async def test_what_cannot_be_meant_is_said(watching: House, line: str, code: int) -> None:
    await watching.ann.fails(line, code)


async def test_other_peoples_episodes_are_not_there(watching: House) -> None:
    await watching.ann.json("autopilot on --confirm all")
    await watching.bob.fails("autopilot decide 1 take", 4)
    assert (await watching.bob.json("autopilot"))["pursuits"] == []


async def test_people_read_what_is_done_about_each_episode(watching: House) -> None:
    ann = watching.ann
    await ann.says("autopilot ask --confirm new")
    await ann.says("autopilot on --confirm all")
    (first, _) = reversed((await ann.json("autopilot"))["pursuits"])
    said = " ".join((await ann.says("autopilot")).split())
    assert f"{first['id']} Sousou no Frieren, episode 27: it is looked for, next at {first['next_look_at']}" in said
