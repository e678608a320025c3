"""The words of a taste, and the dialogs in which it is typed."""

from __future__ import annotations

from typing import Any

import pytest

from uuutorrent.errors import Invalid
from uuutorrent.releases.release import Taste
from uuutorrent.tui.wishes import WISHES, in_words, read

EVERYTHING = Taste(
    (720,),
    ("SubsPlease", "Erai raws"),
    ("Nobody",),
    ("HEVC", "AVC"),
    0,
    remakes=True,
    bit_depths=(10, 8),
    sources=("BD", "WEB"),
    languages=("fr", "en"),
    dual_audio=True,
    dubs=True,
    min_bytes_per_min=10 << 20,
    max_bytes_per_min=round((2 << 30) / 24),
    trusted_only=True,
    wait_min=360,
)


@pytest.mark.parametrize("taste", [Taste(), EVERYTHING, Taste(wait_min=90, languages=(), max_bytes_per_min=61 << 20)])
def test_what_is_shown_is_what_is_read(taste: Taste) -> None:
    assert Taste(**read({wish.name: wish.of(taste) for wish in WISHES})) == taste


def test_nothing_typed_is_no_preference() -> None:
    assert Taste(**read({wish.name: "" for wish in WISHES})) == Taste(languages=())
    lists = [wish.name for wish in WISHES if getattr(Taste(), wish.name) in ((), ("en",), None)]
    assert Taste(**read(dict.fromkeys(lists, "any"))) == Taste(languages=())


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("resolutions", "1080p 720P", (1080, 720)),
        ("codecs", "x265, h264", ("HEVC", "AVC")),
        ("groups", " A ,, B,A", ("A", "B")),
        ("groups", "none", ()),
        ("remakes", "Yes", True),
        ("min_seeders", "", 1),
        ("bit_depths", "10bit 8", (10, 8)),
        ("sources", "bluray, web-dl", ("BD", "WEB")),
        ("languages", "English, fre de", ("en", "fr", "de")),
        ("max_bytes_per_min", "720 MiB", 30 << 20),
        ("max_bytes_per_min", "1.5g", 64 << 20),
        ("max_bytes_per_min", "60 MiB/min", 60 << 20),
        ("min_bytes_per_min", "no limit", None),
        ("wait_min", "2h", 120),
        ("wait_min", "45", 45),
        ("wait_min", "1 day", 1440),
        ("wait_min", "no", 0),
    ],
)
def test_people_may_write_it_as_they_do(name: str, text: str, value: Any) -> None:
    assert read({name: text}) == {name: value}


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("resolutions", "HD", "Lines, best first: hd is not a number"),
        ("min_seeders", "-1", "Least seeders: -1 is not a number"),
        ("min_seeders", "many", "many is not a number"),
        ("remakes", "maybe", "Remakes too: type yes or no"),
        ("max_bytes_per_min", "big", "Largest size: big is no size: type e.g. 700 MiB or 2 GiB"),
        ("wait_min", "soon", "Wait for the first: soon is no time: type e.g. 90 min or 6 h"),
    ],
)
def test_what_cannot_be_understood_names_its_field(field: str, text: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        read({field: text})
    assert caught.value.field == field
    assert said in caught.value.message


def test_taste_in_one_line() -> None:
    assert in_words(Taste()) == "1080p, then 720p, then 480p · English · at least 1 seeder · no remakes"
    assert in_words(EVERYTHING) == (
        "720p · best from SubsPlease, Erai raws · waits 6 h for them · never Nobody · French or English · "
        "dual audio first · dubs too · HEVC, AVC · 10 bit, 8 bit · BD, WEB · at least 0 seeders · trusted posts only · "
        "remakes too · at least 240 MiB for 24 min · up to 2 GiB for 24 min"
    )


def test_what_a_preference_is_about_fits_a_small_screen() -> None:
    assert max(len(wish.about) for wish in WISHES) <= 66
    assert max(len(wish.label) for wish in WISHES) <= 22
