"""Rooms over the same bytes: shows for media servers, what is new, what is unwatched."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from tests.torrents.views.conftest import Attic
from uuutorrent.accounts import User
from uuutorrent.errors import Missing
from uuutorrent.torrents.views import telling

FOURTH = "Frieren - S01E04 [1080p][Group].mkv"


async def test_an_episode_lies_where_media_servers_look_for_it(attic: Attic) -> None:
    await attic.has_episode(4)

    assert await attic.sees("/anime") == [f"Frieren/Season 01/{FOURTH}"]
    opened = await attic.files.open(attic.ann, f"/anime/Frieren/Season 01/{FOURTH}")
    with os.fdopen(opened.fd, "rb") as file:
        assert file.read() == b"x" * 10


async def test_it_is_the_same_file_wherever_it_is_shown(attic: Attic) -> None:
    infohash = await attic.has_episode(4)
    place = attic.built.services.config.download_dir / infohash / "[Group] Frieren - 04 [1080p].mkv"
    os.utime(place, (1_600_000_000, 1_600_000_000))

    paths = (f"/anime/Frieren/Season 01/{FOURTH}", f"/new/{FOURTH}", f"/unwatched/{FOURTH}")
    seen = [await attic.files.stat(attic.ann, path) for path in paths]
    seen.append(await attic.files.stat(attic.ann, await attic.files.where(attic.ann, infohash)))
    assert {(one.size_bytes, one.modified_at.timestamp(), one.inode) for one in seen} == {
        (10, 1_600_000_000, place.stat().st_ino)
    }


async def test_two_versions_of_an_episode_are_both_shown(attic: Attic) -> None:
    await attic.has_episode(4)
    await attic.has_episode(4, "Other")
    again = await attic.has("[Group] Frieren - 04 [1080p] again.mkv", media_id=attic.show.id, episode=4)

    assert await attic.sees("/anime/Frieren/Season 01") == [
        f"Frieren - S01E04 [1080p][Group] ({again[:6]}).mkv",
        FOURTH,
        "Frieren - S01E04 [1080p][Other].mkv",
    ]


async def test_a_new_torrent_renames_nothing(attic: Attic) -> None:
    await attic.has_episode(4)
    before = await attic.sees("/anime")
    await attic.has("[Group] Frieren - 04 [1080p] again.mkv", media_id=attic.show.id, episode=4)
    await attic.has_episode(5)

    assert set(before) < set(await attic.sees("/anime"))


async def test_episodes_out_of_a_batch_come_with_their_subtitles_under_one_name(attic: Attic) -> None:
    contents = {
        "Frieren - 01 [720p].mkv": b"1",
        "Frieren - 02 [720p].mkv": b"22",
        "Subs/Frieren - 02 [720p].en.ass": b"sub",
        "Subs/Frieren - 02 [720p].ass": b"plain",
        "Extras/NCOP.mkv": b"extra",
    }
    batch = "[Good] Frieren (Batch)"
    await attic.has(batch, contents, media_id=attic.show.id, picked={2: (1, 2, 3)})

    stem = "Frieren - S01E02 [720p][Good]"
    assert await attic.sees("/anime/Frieren/Season 01") == [f"{stem}.Subs.ass", f"{stem}.en.ass", f"{stem}.mkv"]
    assert await attic.sees("/torrents") == sorted(f"{batch}/{path}" for path in contents if "02" in path)


async def test_a_torrent_added_by_hand_is_told_by_its_name_if_the_show_is_on_the_list(attic: Attic) -> None:
    await attic.built.services.watchlists.list(attic.ann)
    await attic.has("[Hand] Frieren - 07 [480p].mkv")
    await attic.has("lecture 7.mkv")

    assert await attic.sees("/anime") == ["Frieren/Season 01/Frieren - S01E07 [480p][Hand].mkv"]
    assert await attic.sees("/new") == ["Frieren - S01E07 [480p][Hand].mkv", "lecture 7.mkv/lecture 7.mkv"]


async def test_a_show_that_comes_onto_the_list_later_is_told_then(
    attic: Attic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "AGAIN_S", 0.0)
    monkeypatch.setattr(telling, "TROUBLE_AGAIN_S", 0.0)
    await attic.has("[Hand] Frieren - 07 [480p].mkv")
    before = await attic.sees("/anime")
    await attic.built.services.watchlists.list(attic.ann)

    assert before == []
    assert await attic.sees("/anime") == ["Frieren/Season 01/Frieren - S01E07 [480p][Hand].mkv"]


async def test_a_film_has_no_season(attic: Attic) -> None:
    film = attic.anilist.add_media("A Silent Voice: The Movie", episodes=1, format="MOVIE")
    await attic.has("[Group] A Silent Voice (1080p).mkv", media_id=film.id, episode=1)

    name = "A Silent Voice - The Movie"
    assert await attic.sees("/anime") == [f"{name}/{name} [1080p][Group].mkv"]


async def test_a_folder_keeps_its_name_when_anilist_is_away_or_has_another(attic: Attic) -> None:
    await attic.has_episode(4)
    before = await attic.sees("/anime")
    attic.show.romaji = "Frieren at the Funeral"
    attic.anilist.fault = 503
    await attic.has_episode(5)

    assert set(before) < set(await attic.sees("/anime"))


async def test_what_is_unwatched_follows_the_list_as_it_was_last_seen(attic: Attic) -> None:
    services = attic.built.services
    await services.watchlists.list(attic.ann)
    for number in (3, 4, 5):
        await attic.has_episode(number)
    attic.anilist.fault = 503

    assert [name[:16] for name in await attic.sees("/unwatched")] == ["Frieren - S01E04", "Frieren - S01E05"]


async def test_what_is_new_is_what_came_since_the_last_look(attic: Attic) -> None:
    await attic.has_episode(4)
    looks = [await attic.sees("/new")]
    attic.later(minutes=50)
    looks.append(await attic.sees("/new"))
    attic.later(hours=2)
    looks.append(await attic.sees("/new"))

    assert looks == [[FOURTH], [FOURTH], []]


async def test_what_comes_while_one_looks_is_new_at_the_next_look_too(attic: Attic) -> None:
    attic.now = datetime.now(UTC) - timedelta(hours=1)
    await attic.sees("/new")
    await attic.has_episode(4)
    attic.later(minutes=30)
    looks = [await attic.sees("/new")]
    attic.later(hours=2)
    looks.append(await attic.sees("/new"))
    attic.later(hours=2)
    looks.append(await attic.sees("/new"))

    assert looks == [[FOURTH], [FOURTH], []]


async def test_what_was_complete_a_moment_before_the_daemon_knew_is_new_at_the_next_look(attic: Attic) -> None:
    """The engine says when; a look in between has not shown it."""
    attic.now = datetime.now(UTC) - timedelta(hours=5)
    await attic.sees("/new")
    await attic.has_episode(4)
    attic.now = datetime.now(UTC) + timedelta(seconds=10)
    looks = [await attic.sees("/new")]
    for _ in range(2):
        attic.later(hours=2)
        looks.append(await attic.sees("/new"))

    assert looks == [[FOURTH], [FOURTH], []]


async def test_opening_is_no_look(attic: Attic) -> None:
    await attic.has_episode(4)
    await attic.sees("/new")
    for _ in range(3):
        attic.later(hours=2)
        os.close((await attic.files.open(attic.ann, f"/new/{FOURTH}")).fd)
        assert (await attic.files.stat(attic.ann, f"/new/{FOURTH}")).size_bytes == 10
        await attic.files.list(attic.ann, "/")


async def test_a_program_that_looks_all_the_time_sees_an_end_too(attic: Attic) -> None:
    await attic.has_episode(4)
    seen = []
    for _ in range(3 * 24 * 2):
        seen.append(await attic.files.list(attic.ann, "/new"))
        attic.later(minutes=30)

    assert (len(seen[0]), len(seen[-1])) == (1, 0)


async def test_rooms_are_ones_own(attic: Attic, bob: User) -> None:
    await attic.has_episode(4)

    for room in ("anime", "incoming", "new", "torrents", "unwatched"):
        assert await attic.sees(f"/{room}", bob) == []
        with pytest.raises(Missing):
            await attic.files.stat(bob, f"/{room}/{FOURTH}")
    with pytest.raises(Missing):
        await attic.files.open(bob, f"/anime/Frieren/Season 01/{FOURTH}")
