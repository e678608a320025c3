"""What a list of files gives away before anything is downloaded."""

from __future__ import annotations

import pytest

from uuutorrent.automation.health import listing
from uuutorrent.torrents.engine import TorrentFile

GOOD = {"Show - 01.mkv": 700_000_000}


def files(sizes: dict[str, int], unwanted: tuple[str, ...] = ()) -> tuple[TorrentFile, ...]:
    return tuple(
        TorrentFile(index, f"Show/{path}", size, 0.0, 0 if path in unwanted else 1)
        for index, (path, size) in enumerate(sizes.items())
    )


@pytest.mark.parametrize(
    "name",
    ["Show - 01.exe", "Show - 01.mkv.exe", "Show - 01.mkv.lnk", "Show - 01.SCR", "Show - 01.mkv .com", "Show - 01.iso"],
)
def test_a_program_as_the_main_thing_is_told(name: str) -> None:
    assert listing.trouble(files({"readme.txt": 10, name: 1_000_000})) == f"what it holds is no video but {name}"


@pytest.mark.parametrize(
    "beside",
    [
        {"sample.mkv": 5_000_000},
        {"notes.txt": 10, "Show.nfo": 20, "fonts/Arial.ttf": 800_000},
        {"codec.exe": 3_000_000},
        {"Password.txt": 10},
    ],
)
def test_what_lies_beside_a_good_video_is_fine(beside: dict[str, int]) -> None:
    assert listing.trouble(files({**GOOD, **beside})) == ""


def test_an_archive_with_a_word_about_its_password_is_told() -> None:
    archive = {"Show - 01.rar": 700_000_000}
    assert listing.trouble(files(archive)) == ""
    assert "asks for a password" in listing.trouble(files({**archive, "PASSWORD HERE.txt": 100}))
    parts = {"Show.7z.001": 500, "Show.7z.002": 500, "how to open.html": 1}
    assert "asks for a password" in listing.trouble(files(parts))


def test_what_is_not_wanted_does_not_count() -> None:
    assert listing.trouble(files({**GOOD, "game.exe": 10**10}, unwanted=("game.exe",))) == ""
    assert listing.trouble(files({**GOOD, "Show - 01.exe": 5}, unwanted=("Show - 01.mkv",))) != ""
    assert listing.trouble(files(GOOD, unwanted=tuple(GOOD))) == ""
    assert listing.trouble(()) == ""


def test_an_episode_is_the_largest_video_of_its_files() -> None:
    listed = files({"01.ass": 900, "01.mkv": 700, "01 sample.mkv": 70, "02.mkv": 800, "03.flac": 1})
    assert listing.episode(listed, [0, 1, 2]) == listed[1]
    assert listing.episode(listed, [0]) == listed[0]
    assert listing.episode(listed, []) is None
