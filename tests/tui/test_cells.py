from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from uuutorrent.tui.cells import (
    GUTTER,
    STYLE_NAMES,
    Bar,
    Cell,
    Column,
    Look,
    Palette,
    Piece,
    RowState,
    StripCache,
    fit,
    lay_out,
    paint,
)
from uuutorrent.tui.plain import plain, stripped

COLUMNS = (
    Column("name", "Name", 10, flex=2),
    Column("group", "Group", 6, flex=1, priority=2),
    Column("size", "Size", 8, align="right", priority=1),
    Column("rate", "Rate", 8, align="right"),
)
PALETTE: Palette = tuple(
    ((state, name), Style(color="red" if name == "bad" else "white", bold=state is RowState.CURSOR))
    for state in RowState
    for name in STYLE_NAMES
)


def widths(width: int) -> dict[str, int]:
    return {COLUMNS[slot.column].id: slot.width for slot in lay_out(COLUMNS, width)}


def look(width: int) -> Look:
    return Look(width, lay_out(COLUMNS, width), PALETTE)


def test_what_is_left_over_goes_to_the_flexible_columns() -> None:
    assert widths(GUTTER + 32 + 3) == {"name": 10, "group": 6, "size": 8, "rate": 8}
    assert widths(GUTTER + 32 + 3 + 9) == {"name": 16, "group": 9, "size": 8, "rate": 8}


def test_a_narrow_terminal_drops_the_least_wanted_columns_first() -> None:
    assert list(widths(36)) == ["name", "size", "rate"]
    assert list(widths(28)) == ["name", "rate"]
    assert list(widths(5)) == ["name", "rate"]


@given(st.integers(min_value=GUTTER + 19, max_value=400))
def test_a_layout_fills_the_width_exactly(width: int) -> None:
    slots = lay_out(COLUMNS, width)
    assert GUTTER + sum(slot.width for slot in slots) + len(slots) - 1 == width


@given(st.text(), st.integers(min_value=0, max_value=40), st.booleans())
def test_a_text_is_fitted_into_exactly_its_width(text: str, width: int, right: bool) -> None:
    fitted = fit(text, width, right=right)
    assert cell_len(fitted) == width
    assert "\n" not in fitted


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("進撃の巨人", 10, "進撃の巨人"),
        ("進撃の巨人", 9, "進撃の巨…"),
        ("進撃の巨人", 8, "進撃の… "),
        ("Frieren", 10, "Frieren   "),
        ("Frieren: Beyond", 8, "Frieren…"),
        ("a b", 2, "a…"),
        ("e\u0301te\u0301", 4, "e\u0301te\u0301 "),
        ("👩‍👩‍👧 family", 9, "👩‍👩‍👧 family"),
        ("one\ntwo\tx", 9, "one two x"),
    ],
)
def test_wide_letters_take_two_cells(text: str, width: int, shown: str) -> None:
    assert fit(text, width) == shown


@given(
    st.tuples(
        *(st.text() | st.builds(Piece, st.text(), st.sampled_from(STYLE_NAMES)) | st.builds(Bar, st.floats(-1, 2)),) * 4
    ),
    st.sampled_from(RowState),
    st.booleans(),
    st.integers(min_value=1, max_value=120),
)
def test_a_painted_row_is_as_wide_as_its_look(
    cells: tuple[Cell, ...], state: RowState, marked: bool, width: int
) -> None:
    strip = paint(look(width), cells, state, marked=marked)
    assert strip.cell_length == width
    assert cell_len(strip.text) == width


def test_a_row_with_too_few_cells_is_filled_up() -> None:
    assert paint(look(40), ("only",), RowState.ROW).text.split() == ["only"]


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (0.0, "········"),
        (1.0, "████████"),
        (0.5, "████····"),
        (0.51, "████····"),
        (0.54, "████▎···"),
        (7.0, "████████"),
    ],
)
def test_a_bar_shows_eighths_of_a_cell(fraction: float, shown: str) -> None:
    only = (Column("bar", "", 8),)
    strip = paint(Look(10, lay_out(only, 10), PALETTE), (Bar(fraction),), RowState.ROW)
    assert strip.text == "  " + shown


def test_a_bar_is_full_only_when_everything_is_there() -> None:
    only = (Column("bar", "", 8),)
    strip = paint(Look(10, lay_out(only, 10), PALETTE), (Bar(0.9999),), RowState.ROW)
    assert strip.text != "  ████████"


def test_cursor_and_mark_are_seen_without_colours() -> None:
    cells = ("a", "b", "c", "d")
    assert paint(look(60), cells, RowState.CURSOR).text.startswith("› a")
    assert paint(look(60), cells, RowState.ROW, marked=True).text.startswith("✓ a")
    assert paint(look(60), cells, RowState.ROW).text.startswith("  a")


def test_the_same_row_under_the_same_look_is_painted_once() -> None:
    cache = StripCache()
    first = cache.look(60, lay_out(COLUMNS, 60), PALETTE)
    second = cache.look(60, lay_out(list(COLUMNS), 60), tuple(PALETTE))
    assert first is second
    cells = ("a", Piece("b", "bad"), Bar(0.5), "d")
    other = ("a", Piece("b", "bad"), Bar(0.5), "d")
    assert cache.strip(first, cells, RowState.ROW) is cache.strip(second, other, RowState.ROW)
    assert (cache.hits, cache.misses) == (1, 1)


def test_other_looks_states_marks_and_rows_are_painted_apart() -> None:
    cache = StripCache()
    wide, narrow = (cache.look(width, lay_out(COLUMNS, width), PALETTE) for width in (60, 40))
    cells = ("a", "b", "c", "d")
    strips = [
        cache.strip(wide, cells, RowState.ROW),
        cache.strip(narrow, cells, RowState.ROW),
        cache.strip(wide, cells, RowState.CURSOR),
        cache.strip(wide, cells, RowState.ROW, marked=True),
        cache.strip(wide, ("a", "b", "c", Piece("d", "bad")), RowState.ROW),
    ]
    assert len({id(strip) for strip in strips}) == len(strips)


def test_the_cache_keeps_what_is_used_and_lets_the_rest_go() -> None:
    cache = StripCache(limit=3, looks=2)
    wide = cache.look(60, lay_out(COLUMNS, 60), PALETTE)
    kept = cache.strip(wide, ("kept",), RowState.ROW)
    for n in range(10):
        cache.strip(wide, (f"row {n}",), RowState.ROW)
        assert cache.strip(wide, ("kept",), RowState.ROW) is kept
    assert len(cache) == 3
    for width in (40, 41):
        cache.look(width, lay_out(COLUMNS, width), PALETTE)
    assert cache.look(60, lay_out(COLUMNS, 60), PALETTE) is not wide


@given(st.text())
def test_harmless_text_holds_no_control_characters(text: str) -> None:
    for harmless in (plain(text), stripped(text)):
        assert not [char for char in harmless if char < " " or "\x7f" <= char <= "\x9f" or "\ud800" <= char <= "\udfff"]
        assert not [char for char in harmless if char in "\u200e\u200f\u202a\u202e\u2066\u2069\u061c"]


def test_harmless_text_keeps_what_people_write() -> None:
    text = "[SubsPlease] 葬送のフリーレン – Ünïcödé 👩‍👩‍👧 e\u0301"
    assert plain(text) == stripped(text) == text
