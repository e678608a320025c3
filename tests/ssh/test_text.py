from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from uuutorrent.ssh.text import fold, listing, printable, table


def test_columns_are_aligned_by_cells_and_end_without_spaces() -> None:
    shown = table(("NAME", "N"), [("葬送のフリーレン", "1"), ("Frieren", "")], empty="none")
    assert shown.split("\n") == ["NAME              N", "葬送のフリーレン  1", "Frieren"]


def test_a_table_of_nothing_is_a_sentence() -> None:
    assert table(("NAME",), [], empty="Nothing yet.") == "Nothing yet."


def test_the_last_column_is_folded_below_itself() -> None:
    shown = table(("HASH", "NAME"), [("abc", "one two three four five six")], empty="", width=28)
    assert shown.split("\n") == ["HASH  NAME", "abc   one two three four", "      five six"]


def test_a_cell_cannot_break_out_of_its_row() -> None:
    shown = table(("A", "B"), [("x\ny", "evil\r\nroot  \x1b[2Jrow")], empty="")
    assert shown.count("\n") == 1
    assert "\x1b" not in shown


def test_items_have_their_other_lines_indented() -> None:
    shown = listing([("head", "a long line that is folded", ""), ("second",)], empty="none", width=24)
    assert shown.split("\n") == ["head", "    a long line that is", "    folded", "second"]
    assert listing([], empty="none", width=24) == "none"


def test_lines_stay_and_controls_go() -> None:
    assert printable("a\x1b[1mb\tc\n\u202ed\u3000e") == "a[1mbc\nd\u3000e"


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, [""]),
        ("short", 10, ["short"]),
        ("two words", 5, ["two", "words"]),
        ("unbreakable", 4, ["unbr", "eaka", "ble"]),
        ("フリーレン", 4, ["フリ", "ーレ", "ン"]),
    ],
)
def test_folding_breaks_between_words_where_it_can(text: str, width: int, lines: list[str]) -> None:
    assert fold(text, width) == lines


@given(st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=200), st.integers(2, 100))
def test_folded_lines_fit_and_nothing_is_lost(text: str, width: int) -> None:
    lines = fold(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
