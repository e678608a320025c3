"""watchlist, progress, status, shows, watch, unwatch; on a list kept here and on one at AniList."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.ssh.prompt import an_instant
from tests.ssh.verbs.conftest import House


async def test_a_watchlist_tells_what_is_next_and_how_far_behind(house: House) -> None:
    show = house.frieren.id
    added = await house.ann.json(f"watch {show}")
    assert added == {
        "media_id": show,
        "title": "Sousou no Frieren",
        "status": "CURRENT",
        "progress": 0,
        "episodes": 28,
        "aired": 28,
        "next_episode": 1,
        "behind": 28,
        "airs_at": None,
    }
    assert await house.ann.json("watchlist") == [added]
    assert await house.bob.json("watchlist") == []
    shown = await house.ann.says("watchlist")
    assert shown.splitlines() == [
        "MEDIA  SEEN  NEXT  BEHIND  TITLE",
        f"{show}   0/28  1     28      Sousou no Frieren",
    ]


async def test_an_airing_show_tells_when_the_next_episode_comes(house: House) -> None:
    show = house.anilist.add_media("Dandadan", next_episode=5, airs_in=timedelta(days=3, minutes=5))
    await house.ann.says(f"watch {show.id}")
    entry = await house.ann.json(f"progress {show.id} 4")
    assert (entry["aired"], entry["next_episode"], entry["behind"]) == (4, 5, 0)
    assert an_instant(entry["airs_at"]).timestamp() == show.airs_at
    assert " 5 in 3d " in await house.ann.says("watchlist")


async def test_a_list_at_anilist_is_read_and_written_there(house: House) -> None:
    member = house.anilist.add_user("annie")
    house.anilist.list_entry(member, house.frieren, progress=4)
    await house.ann.says("link", member.token.encode())
    assert [(one["media_id"], one["progress"]) for one in await house.ann.json("watchlist")] == [(house.frieren.id, 4)]
    assert (await house.ann.json(f"progress {house.frieren.id} 5"))["next_episode"] == 6
    written = house.anilist.entry(member, house.frieren)
    assert written is not None
    assert written.progress == 5


async def test_finishing_a_show_asks_first(house: House) -> None:
    show = house.frieren.id
    await house.ann.says(f"watch {show}")
    asked = await house.ann.fails(f"progress {show} 28", 5)
    assert "--complete" in asked
    assert "--no-complete to leave it CURRENT" in asked
    assert (await house.ann.json(f"progress {show} 28 --no-complete"))["status"] == "CURRENT"
    done = await house.ann.json(f"progress {show} 28 --complete")
    assert (done["status"], done["next_episode"]) == ("COMPLETED", None)
    assert " finished " in await house.ann.says("watchlist --status completed")


async def test_shows_move_between_the_parts_of_a_list(house: House) -> None:
    show = house.frieren.id
    assert (await house.ann.json(f"watch {show} --status planning"))["status"] == "PLANNING"
    assert await house.ann.json("watchlist") == []
    assert len(await house.ann.json("watchlist --status CURRENT PLANNING")) == 1
    assert len(await house.ann.json("watchlist --status CURRENT --status PLANNING")) == 1
    assert (await house.ann.json(f"status {show} paused"))["status"] == "PAUSED"
    assert await house.ann.json(f"unwatch {show}") == {"media_id": show}
    assert (await house.ann.type("watchlist")).out.startswith("Nothing on this list.")


async def test_shows_are_found_by_title(house: House) -> None:
    assert await house.ann.json("shows sousou no frieren") == [
        {"media_id": house.frieren.id, "title": "Sousou no Frieren", "format": "TV", "year": 2024, "episodes": 28}
    ]
    assert "Sousou no Frieren" in await house.ann.says("shows frieren")
    assert await house.ann.says("shows nothing like it") == "AniList knows no such show.\n"


async def test_what_cannot_be_is_refused(house: House) -> None:
    for line, code, said in (
        ("watchlist --status WATCHING", 2, "there are CURRENT"),
        ("watch 999", 4, "999"),
        ("watch 1001 --status later", 2, "there are CURRENT"),
        ("progress 1001 1", 4, "not on your list"),
        ("progress 999 1", 4, "not on your list"),
        ("progress 1001 -- -1", 2, ">= 0"),
        ("progress 1001 1000001", 2, "<= 1000000"),
        ("status 1001 PAUSED", 4, "not on your list"),
        ("status 1001", 2, "STATUS"),
        ("unwatch 1001", 4, "not on your list"),
        ("shows", 2, "say what to look for"),
    ):
        assert said in await house.ann.fails(line, code)


async def test_too_many_episodes_and_twice_the_same_show_are_refused(house: House) -> None:
    await house.ann.says("watch 1001")
    assert "28 episodes" in await house.ann.fails("progress 1001 29", 2)
    assert "already" in await house.ann.fails("watch 1001", 5)


async def test_while_anilist_is_away_the_last_list_is_shown_and_said_to_be_old(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uuutorrent.anime.linked.REFRESHED_S", 0.0)
    member = house.anilist.add_user("annie")
    house.anilist.list_entry(member, house.frieren, progress=4)
    await house.ann.says("link", member.token.encode())
    before = await house.ann.json("watchlist")
    house.anilist.fault = 503
    answer = await house.ann.type("watchlist --refresh --json")
    assert (answer.code, answer.json) == (0, before)
    assert "AniList" in answer.err
    assert "AniList" in await house.ann.fails(f"progress {house.frieren.id} 5", 75)


async def test_a_token_that_was_revoked_says_to_link_again(house: House) -> None:
    member = house.anilist.add_user("annie")
    await house.ann.says("link", member.token.encode())
    house.anilist.revoke(member)
    assert "sign in to AniList again" in await house.ann.fails(f"progress {house.frieren.id} 5", 3)
    assert "ssh -p 2222 ann@seedbox link" in (await house.ann.type("whoami")).err


async def test_titles_from_outside_do_not_drive_the_terminal(house: House) -> None:
    evil = house.anilist.add_media("Evil\x1b]0;owned\x07\u202eeltit\x9b2J\nsecond line", episodes=1)
    for line in (f"watch {evil.id}", "watchlist", f"progress {evil.id} 1 --complete", "shows evil"):
        assert all(char.isprintable() or char == "\n" for char in await house.ann.says(line))
    for line in ("watchlist --status COMPLETED", "shows evil"):
        answer = await house.ann.type(f"{line} --json")
        assert len(answer.json) == 1
        assert answer.out.rstrip("\n").isprintable()
