from __future__ import annotations

import pytest

from uuutorrent.errors import Invalid
from uuutorrent.releases.release import Taste
from uuutorrent.tui.taste import FIELDS, in_words, read


def typed(**changes: str) -> dict[str, str]:
    """What stands in the fields for the usual taste, with some of it typed over."""
    return {field.name: field.show(Taste()) for field in FIELDS} | changes


@pytest.mark.parametrize(
    "taste",
    [
        Taste(),
        Taste(
            (720,),
            ("SubsPlease", "Erai raws"),
            ("Nobody",),
            ("HEVC", "AVC"),
            0,
            remakes=True,
            max_episode_bytes=2 << 30,
        ),
    ],
)
def test_what_is_shown_is_what_is_read(taste: Taste) -> None:
    assert read({field.name: field.show(taste) for field in FIELDS}) == taste


def test_people_may_write_it_as_they_do() -> None:
    taste = read(
        typed(resolutions="1080p 720P", codecs="x265, h264", groups=" A ,, B,A", remakes="Yes", min_seeders="")
    )
    assert taste == Taste((1080, 720), ("A", "B"), (), ("HEVC", "AVC"), 1, remakes=True)
    assert read(typed(max_episode_bytes="700 MiB")).max_episode_bytes == 700 << 20
    assert read(typed(max_episode_bytes="1.5g")).max_episode_bytes == 3 << 29


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("resolutions", "HD"),
        ("min_seeders", "-1"),
        ("min_seeders", "many"),
        ("remakes", "maybe"),
        ("max_episode_bytes", "big"),
    ],
)
def test_what_cannot_be_understood_names_its_field(field: str, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(typed(**{field: text}))
    assert caught.value.field == field


def test_taste_in_one_line() -> None:
    assert in_words(Taste()) == "1080p, then 720p, then 480p · at least 1 seeder · no remakes"
    said = in_words(Taste((720,), ("A",), ("B",), ("HEVC",), 5, remakes=True, max_episode_bytes=1 << 30))
    assert said == "720p · best from A · never B · HEVC · at least 5 seeders · remakes too · up to 1.0 GiB"
