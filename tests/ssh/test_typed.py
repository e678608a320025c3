from __future__ import annotations

import pytest

from uuutorrent.anime.anime import WatchStatus
from uuutorrent.errors import Invalid
from uuutorrent.ssh import typed


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        ("1048576", 1 << 20),
        ("9007199254740993", 9007199254740993),
        ("500K", 500 << 10),
        ("2m", 2 << 20),
        ("1.5 MiB", 3 << 19),
        ("200GiB", 200 << 30),
        ("4TB", 4 << 40),
        ("12B", 12),
    ],
)
def test_sizes_are_bytes_or_have_a_binary_unit(text: str, size_bytes: int) -> None:
    assert typed.size(text, field="quota") == size_bytes


@pytest.mark.parametrize("text", ["", "-1", "fast", "1e9", "5 km", "9999999999999999999T", "nan", "٣"])
def test_what_is_no_size_is_told_how_one_looks(text: str) -> None:
    with pytest.raises(Invalid, match="500K") as caught:
        typed.size(text, field="quota")
    assert caught.value.field == "quota"


@pytest.mark.parametrize(("text", "lines"), [(None, None), ("1080", 1080), ("720p", 720), ("2160P", 2160)])
def test_qualities_are_lines(text: str | None, lines: int | None) -> None:
    assert typed.quality(text) == lines


@pytest.mark.parametrize("text", ["", "hd", "p", "-720", "١٠٨٠", "9" * 30])
def test_what_is_no_quality_is_told_how_one_looks(text: str) -> None:
    with pytest.raises(Invalid, match="1080"):
        typed.quality(text)


def test_statuses_may_be_typed_small() -> None:
    assert typed.status("planning") is WatchStatus.PLANNING
    with pytest.raises(Invalid, match="there are CURRENT"):
        typed.status("watching")


def test_infohashes_are_whole_and_small() -> None:
    assert typed.infohash("A" * 40) == "a" * 40
    assert typed.infohash("b" * 64) == "b" * 64
    for wrong in ("a" * 39, "g" * 40, ""):
        with pytest.raises(Invalid):
            typed.infohash(wrong)
