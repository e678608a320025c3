"""Names that every system takes."""

from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uuutorrent.torrents.views.episodes import numbered, titled
from uuutorrent.torrents.views.names import LONGEST, Names, marked, safe, same


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("[Group] Show - 05 (1080p).mkv", "[Group] Show - 05 (1080p).mkv"),
        ("Fate/stay night", "Fate_stay night"),
        ('a<b>c:d"e|f?g*h\\i', "a_b_c_d_e_f_g_h_i"),
        ("Is the Order a Rabbit?", "Is the Order a Rabbit_"),
        ("Show...", "Show"),
        ("Show. .", "Show"),
        (" Show ", "Show"),
        ("CON", "_CON"),
        ("con.mkv", "_con.mkv"),
        ("Aux .txt", "_Aux .txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("lpt².mkv", "_lpt².mkv"),
        ("console.mkv", "console.mkv"),
        ("nul", "_nul"),
        ("", "_"),
        (".", "_"),
        ("..", "_"),
        ("...", "_"),
        (".hidden", ".hidden"),
        ("a\nb\x1b[2J\x9b.mkv", "a_b_[2J_.mkv"),
        ("e\u0301.mkv", "é.mkv"),
        ("gpj.\u202evkm", "gpj._vkm"),
        ("ア.mkv", "ア.mkv"),
        (os.fsdecode(b"\xff.mkv"), "_.mkv"),
        ("あ" * 90 + ".mkv", "あ" * 83 + ".mkv"),
        ("x" * 300, "x" * 255),
        ("a" * 250 + " - and more.mkv", "a" * 250 + ".mkv"),
    ],
)
def test_a_name_is_what_every_system_takes(name: str, shown: str) -> None:
    assert safe(name) == shown


@given(st.text(st.characters(codec=None), max_size=400))
def test_whatever_the_name_it_can_be_written_anywhere(name: str) -> None:
    for shown in (safe(name), marked(safe(name), "3f2a91")):
        assert 1 <= len(shown.encode()) <= LONGEST
        assert not set(shown) & set('<>:"/\\|?*\0')
        assert not shown.endswith((" ", "."))
        assert shown == unicodedata.normalize("NFC", shown)
        assert safe(shown) == shown


def test_names_that_windows_or_macos_take_for_one_are_told_apart() -> None:
    names = Names()

    assert names.give("Show.mkv", "abc") == "Show.mkv"
    assert names.give("SHOW.mkv", "abc") == "SHOW (abc).mkv"
    assert names.give("show.MKV", "abc") == "show (abc-2).MKV"
    assert names.give("Caf\u00e9", "1") == "Café"
    assert names.give("CAFE\u0301", "2") == "CAFÉ (2)"
    assert same("STRASSE") == same("straße")


def test_long_names_that_are_cut_alike_are_told_apart() -> None:
    names = Names()
    first, second = (names.give("あ" * 100 + end + ".mkv", end) for end in ("A", "B"))

    assert first != second
    assert len(first.encode()) <= 255 >= len(second.encode())
    assert second.endswith(" (B).mkv")


@pytest.mark.parametrize(
    ("title", "folder"),
    [
        ("Re:ZERO -Starting Life-", "Re-ZERO -Starting Life-"),
        ("Frieren: Beyond Journey's End", "Frieren - Beyond Journey's End"),
        ("Is the Order a Rabbit?", "Is the Order a Rabbit"),
        ("Fate/stay night", "Fate-stay night"),
        ("K.", "K"),
        ("???", "_"),
        ("長い" * 50, "長い" * 20),
    ],
)
def test_a_title_becomes_a_folder(title: str, folder: str) -> None:
    assert titled(title) == folder


def test_a_file_of_two_episodes_says_both() -> None:
    assert [numbered(one) for one in ([5], [5, 6], [12, 11], [1089])] == [
        "S01E05",
        "S01E05-E06",
        "S01E11-E12",
        "S01E1089",
    ]
