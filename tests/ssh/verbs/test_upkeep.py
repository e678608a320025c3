"""tidy, for oneself; policy, traffic and orphans, for admins and for nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.ssh.prompt import Prompt
from tests.ssh.verbs.conftest import House
from tests.torrents import metainfos
from tests.torrents.shelf import on_disk
from uuutorrent.anime.anime import MediaId, WatchStatus
from uuutorrent.ssh.call import Verb
from uuutorrent.ssh.verbs import upkeep
from uuutorrent.torrents.metainfo import parse_torrent

each_verb = pytest.mark.parametrize("verb", upkeep.FOR_ADMINS, ids=lambda verb: "-".join(verb.name))


def example(verb: Verb) -> str:
    rest = {"policy": "bob --ratio 2", "orphans remove": "left.mkv"}
    name = " ".join(verb.name)
    return f"{name} {rest.get(name, '')}".strip()


def leave(house: House, name: str = "left.mkv") -> None:
    """A file that belongs to nobody, two hours ago."""
    (house.services.config.download_dir / name).write_bytes(b"x" * 10_000)
    house.services.library.orphans.now = lambda: datetime.now(UTC) + timedelta(hours=2)


async def watched(house: House, prompt: Prompt) -> str:
    """An episode that somebody has, read to its end, and has seen."""
    show, user, name = house.frieren.id, prompt.user, "Frieren - 01.mkv"
    lists, library = house.services.watchlists, house.services.library
    await lists.add(user, MediaId(show), WatchStatus.CURRENT)
    await lists.set_progress(user, MediaId(show), 1)
    added = await library.add(user, parse_torrent(metainfos.single(name, 1000)), media_id=show, episode=1)
    await house.completes(added.infohash, {name: b"x" * 1000})
    await house.services.uses.read_to_end(user, f"{added.infohash}/{name}", 1000)
    return str(added.infohash)


@each_verb
async def test_who_is_no_admin_may_do_none_of_it(house: House, verb: Verb) -> None:
    leave(house)
    assert await house.ann.fails(example(verb), 3) == "only admins may do that"
    assert (await house.boss.json("policy bob"))["own"] is False
    assert on_disk(house.services.config.download_dir) == ["left.mkv"]


@each_verb
async def test_who_was_an_admin_at_sign_in_may_do_none_of_it_any_more(house: House, verb: Verb) -> None:
    await house.boss.says("users role ann admin")
    ann = Prompt(house.services, await house.services.accounts.by_name("ann"))
    assert await ann.json("policy bob")
    await house.boss.says("users role ann user")
    assert await ann.fails(example(verb), 3) == "only admins may do that"


async def test_a_policy_is_settled_shown_and_taken_back(house: House) -> None:
    boss = house.boss
    assert "ann's torrents has no limit, as configured for everybody." in await boss.says("policy ann")
    said = await boss.says("policy ann --ratio 1.5 --minutes 600")
    assert " ".join(said.split()) == (
        "The seeding of ann's torrents ends at a ratio of 1.5 or after 600 minutes, settled for them."
    )
    assert await boss.json("policy ann --minutes 0") == {"name": "ann", "ratio": 1.5, "minutes": 0, "own": True}
    assert (await boss.json("policy ann --default"))["own"] is False


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("policy nobody", 4, "there is no user nobody"),
        ("policy ann --default --ratio 1", 2, "not both"),
        ("policy ann --ratio 5000", 2, "a ratio is between"),
        ("policy ann --ratio much", 2, "much"),
        ("orphans remove ../data", 4, "is no orphan"),
        ("tidy 400", 2, "between 0 (never) and 365"),
        ("tidy soon", 2, "soon is no number of days"),
        ("tidy -1", 2, "-1"),
    ],
)
async def test_what_cannot_be_meant_is_said(house: House, line: str, code: int, said: str) -> None:
    assert said in await house.boss.fails(line, code)


async def test_orphans_are_listed_and_one_is_removed(house: House) -> None:
    leave(house)
    assert (await house.boss.says("orphans")).splitlines()[0] == "Files of no torrent"
    found = await house.boss.json("orphans")
    assert [one["path"] for one in found["files"]] == ["left.mkv"]
    assert (found["kept"], found["torrents"], found["others"]) == ([], [], [])

    assert await house.boss.says("orphans remove left.mkv") == "Removed left.mkv.\n"
    assert await house.boss.says("orphans") == "There are none.\n"


async def test_what_was_left_on_purpose_says_of_which_torrent_it_is(house: House) -> None:
    held = await house.holds(house.ann, "Lectures", {"one.mkv": 5})
    await house.completes(held, {"Lectures/one.mkv": b"12345"})
    await house.ann.says(f"delete {held}")
    (kept,) = (await house.boss.json("orphans"))["kept"]
    assert (kept["path"], kept["name"]) == (held, "Lectures")
    assert f"{held} Lectures" in " ".join((await house.boss.says("orphans")).split())


async def test_traffic_is_shown_by_kind(house: House) -> None:
    house.services.tally.count("served_bytes", "sftp", by=3 * 2**30)
    shown = await house.boss.says("traffic")
    assert "3.0 GiB of 9.1 TiB (0 %)" in shown
    assert "served 3.0 GiB, seeded 0 B" in shown
    month = await house.boss.json("traffic")
    assert (month["used"], month["sftp"], month["seeding"], month["budget"]) == (3 * 2**30, 3 * 2**30, 0, 10**13)
    assert month["projected"] >= month["used"]
    assert month["slowed"] is False


async def test_tidying_is_off_until_it_is_turned_on_and_tells_what_goes(house: House) -> None:
    await watched(house, house.ann)
    assert await house.ann.json("tidy") == {"days": 0, "going": []}
    assert "Nothing is deleted by itself." in await house.ann.says("tidy")

    said = await house.ann.says("tidy 14")
    assert "What you watched and had served goes 14 days later." in said
    assert "Frieren - 01.mkv" in said
    (going,) = (await house.ann.json("tidy"))["going"]
    assert going["episodes"] == [{"media_id": house.frieren.id, "episode": 1}]
    assert (await house.bob.json("tidy"))["going"] == []

    assert (await house.ann.json("tidy off")) == {"days": 0, "going": []}


async def test_tidying_is_set_though_anilist_is_away(house: House) -> None:
    member = house.anilist.add_user("AnnOnAniList")
    await house.ann.json("link", member.token.encode())
    await watched(house, house.ann)
    house.anilist.fault = "outage"
    answer = await house.ann.type("tidy 14")
    assert answer.code == 0
    assert "Nothing goes before it does" in answer.err
    assert (await house.ann.type("tidy")).code == 75


async def test_what_the_disk_has_no_room_for_says_how_much_is_missing(house: House) -> None:
    house.services.library.space.floor_bytes = 2**50
    said = "It needs 1 KiB; 0 B are free beside what is downloading and the 1024.0 TiB that stay free."
    assert await house.ann.fails("add -", 3, metainfos.single("lecture.mkv")) == said

    house.post(1)
    answer = await house.ann.type(f"get {house.frieren.id} 1 --json")
    assert (answer.code, answer.json["state"], answer.json["error"]["message"]) == (3, "failed", said)
    assert await house.ann.json("torrents") == []
