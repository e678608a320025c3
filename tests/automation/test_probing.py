"""What is wrong with files that are complete: real ones, made by ffmpeg or by hand, beneath a real download root."""

from __future__ import annotations

import asyncio
import io
import os
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.automation.evening import Clock
from tests.automation.ward import Ward
from tests.desks import built
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media
from tests.swarm import mkv
from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.automation.health import probing
from uuutorrent.automation.health.ffprobe import FFprobe
from uuutorrent.automation.health.observations import MOST_TRIES, Observations
from uuutorrent.config import Health
from uuutorrent.store.database import Database
from uuutorrent.torrents.holdings import Part
from uuutorrent.torrents.metainfo import parse_torrent

pytestmark = pytest.mark.real
NAME = "Show - 01.mkv"
film = pytest.fixture(scope="module")(lambda: mkv(2))


@pytest.fixture
def anilist() -> Iterator[FakeAniList]:
    with FakeAniList() as opened:
        yield opened


@pytest.fixture
def show(anilist: FakeAniList) -> Media:
    """Its episodes last 24 minutes, unless a test says otherwise."""
    return anilist.add_media("Show", episodes=12)


@pytest.fixture
async def ward(database: Database, tmp_path: Path, anilist: FakeAniList, show: Media) -> AsyncIterator[Ward]:
    async with built(database, tmp_path, anilist_url=anilist.url) as opened:
        clock = Clock(datetime.now(UTC) + timedelta(hours=1))
        ward = Ward(opened, database, clock, opened.services.observations, show.id)
        ward.observations = ward.another()
        yield ward


async def found(ward: Ward, observations: Observations | None = None) -> list[str]:
    """What is wrong with content, after a turn at looking into it."""
    await (observations or ward.observations).probe_once()
    unwell = await ward.observations.unwell()
    assert all(one.is_content and one.is_complete for one in unwell)
    return [one.why for one in unwell]


async def finished(ward: Ward, user: User, content: bytes, name: str = NAME, *, episode: int | None = 1) -> str:
    infohash = await ward.add(user, name, size=len(content), episode=episode)
    await ward.finishes(infohash, {name: content})
    return infohash


def locked_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(NAME, b"secret")
    made = bytearray(file.getvalue())
    made[6] |= 1
    return bytes(made)


async def test_a_video_of_the_right_length_is_good_and_looked_into_once(
    ward: Ward, ann: User, film: bytes, show: Media
) -> None:
    show.duration = 3  # a short: any length will do
    infohash = await finished(ward, ann, film)
    assert await found(ward) == []
    (ward.downloads / infohash / NAME).unlink()
    await ward.look(3)
    assert await found(ward) == []


async def test_a_program_by_the_name_of_a_video_is_broken(ward: Ward, ann: User) -> None:
    infohash = await finished(ward, ann, b"MZ\x90\0" + os.urandom(5000))
    assert await found(ward) == [f"{NAME} is a program"]
    ward.clock.move(days=3)
    assert [one.why for one in await ward.look(3)] == [f"{NAME} is a program"]
    assert (await ward.observations.of(ann)).keys() == {infohash}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!doctype html><p>not here", "is a web page"),
        (b"Rar!\x1a\x07\x00" + bytes(100), "is a rar archive"),
        (os.urandom(1 << 16).replace(b"\0", b"x"), "cannot be read as a video"),
    ],
    ids=["page", "archive", "noise"],
)
async def test_what_is_no_video_is_broken(ward: Ward, ann: User, content: bytes, said: str) -> None:
    await finished(ward, ann, content)
    assert await found(ward) == [f"{NAME} {said}"]


async def test_a_video_cut_off_in_its_head_is_broken(ward: Ward, ann: User, film: bytes) -> None:
    await finished(ward, ann, film[:300])
    assert await found(ward) == [f"{NAME} cannot be read as a video"]


async def test_an_archive_that_asks_for_a_password_is_broken_and_an_open_one_is_not(ward: Ward, ann: User) -> None:
    await finished(ward, ann, locked_zip(), "Show - 01.zip")
    assert await found(ward) == ["Show - 01.zip asks for a password"]
    open_one = bytearray(locked_zip())
    open_one[6] &= 0xFE
    await finished(ward, ann, bytes(open_one), "Show - 02.zip")
    assert len(await found(ward)) == 1


async def test_an_episode_of_two_seconds_is_broken(ward: Ward, ann: User, film: bytes) -> None:
    await finished(ward, ann, film)
    assert await found(ward) == [f"{NAME} lasts 2 s, where an episode lasts 24 min"]


async def test_a_whole_anime_may_hold_short_videos(ward: Ward, ann: User, film: bytes) -> None:
    metainfo = parse_torrent(metainfos.single(NAME, len(film)))
    await ward.library.add(ann, metainfo, media_id=ward.show)
    await ward.finishes(metainfo.infohash, {NAME: film})
    assert await found(ward) == []


async def test_what_was_added_by_hand_is_not_looked_into(ward: Ward, ann: User) -> None:
    await finished(ward, ann, b"MZ a game", "game.mkv", episode=None)
    assert await found(ward) == []


async def test_of_a_batch_one_bad_episode_is_no_reason_to_give_it_up(
    ward: Ward, ann: User, film: bytes, show: Media
) -> None:
    show.duration = 3
    bad = b"MZ\x90\0" + bytes(len(film) - 4)
    for name, contents, expected in (("Half", (film, bad), 0), ("Whole", (bad, bad), 1)):
        files = {f"{name}/Show - 0{n}.mkv": content for n, content in enumerate(contents, 1)}
        metainfo = parse_torrent(metainfos.several(name, {path[len(name) + 1 :]: len(c) for path, c in files.items()}))
        part = Part(ward.show, {1: (0,), 2: (1,)}, [len(content) for content in contents])
        await ward.library.add(ann, metainfo, media_id=ward.show, part=part)
        await ward.finishes(metainfo.infohash, files)
        assert len(await found(ward)) == expected


async def test_what_is_beside_a_good_video_does_not_matter(ward: Ward, ann: User, film: bytes, show: Media) -> None:
    show.duration = 3
    more = {"Show - 01.mkv": len(film), "codec.exe": 100, "sample.mkv": 50, "readme.txt": 3}
    infohash = await ward.add(ann, "Show", **more)
    extras = {"Show/codec.exe": b"MZ" + bytes(98), "Show/sample.mkv": bytes(50), "Show/readme.txt": b"hi!"}
    await ward.finishes(infohash, {"Show/Show - 01.mkv": film, **extras})
    assert await found(ward) == []


async def test_a_hanging_ffprobe_is_nobodys_fault_and_is_tried_again_some_times(
    ward: Ward, ann: User, film: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, program = tmp_path / "calls", tmp_path / "bin/ffprobe"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho once >> {calls}\nsleep 1000\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    await finished(ward, ann, film)
    hurried = ward.another(ffprobe=FFprobe(deadline_s=0.5))
    for _ in range(MOST_TRIES + 2):
        assert await found(ward, hurried) == []
    assert calls.read_text().split() == ["once"] * MOST_TRIES


async def test_without_ffprobe_first_bytes_are_looked_at_all_the_same(
    ward: Ward, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "installed", lambda: None)
    await finished(ward, ann, os.urandom(5000).replace(b"M", b"x"), "Noise - 02.mkv")
    await finished(ward, ann, b"MZ" + bytes(100))
    assert await found(ward) == [f"{NAME} is a program"]


async def test_while_anilist_is_away_a_short_video_is_not_judged(
    ward: Ward, ann: User, film: bytes, anilist: FakeAniList
) -> None:
    anilist.fault = 500
    await finished(ward, ann, film)
    assert await found(ward) == []
    anilist.fault = None
    assert len(await found(ward)) == 1


async def test_a_look_at_the_same_moment_takes_nothing_back(ward: Ward, ann: User) -> None:
    await finished(ward, ann, b"MZ\x90\0")
    another = ward.another()
    await asyncio.gather(*(another.look_once() for _ in range(3)), ward.observations.probe_once())
    assert await ward.look() != ()
    assert await found(ward) == [f"{NAME} is a program"]


async def test_a_symlink_in_the_download_folder_leads_nowhere(
    ward: Ward, ann: User, tmp_path: Path, film: bytes
) -> None:
    outside = tmp_path / "outside.mkv"
    outside.write_bytes(b"MZ" + bytes(100))
    infohash = await ward.add(ann, NAME, size=102)
    folder = ward.downloads / infohash
    folder.mkdir()
    (folder / NAME).symlink_to(outside)
    await ward.finishes(infohash, {})
    assert await found(ward) == []


async def test_it_can_be_switched_off(ward: Ward, ann: User) -> None:
    await finished(ward, ann, b"MZ\x90\0")
    assert await found(ward, ward.another(Health(probe=False))) == []
