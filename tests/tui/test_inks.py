from __future__ import annotations

from typing import get_args

import pytest
from rich.style import Style
from textual.color import Color

from tests.tui.screen import ShowsApp, seated
from uuutorrent.tui.cells import STYLE_NAMES, RowState
from uuutorrent.tui.inks import InkName, Inks, InkStore
from uuutorrent.tui.shell import Shell

THEMES = sorted(Shell().available_themes)
READABLE = 1.9
"""Contrast ratio; the themes' own muted text is not far above it."""


def variables_of(theme: str) -> dict[str, str]:
    app = ShowsApp()
    app.theme = theme
    return app.get_css_variables()


def inks(theme: str, *, colourless: bool = False) -> Inks:
    return Inks(variables_of(theme), colourless=colourless)


def ground(theme: str) -> Style:
    variables = variables_of(theme)
    return Style(
        color=Color.parse(variables["foreground"]).rich_color, bgcolor=Color.parse(variables["background"]).rich_color
    )


def contrast(style: Style) -> float:
    assert style.color is not None
    assert style.bgcolor is not None
    lights = sorted(_light(Color.from_rich_color(colour)) for colour in (style.color, style.bgcolor))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _light(colour: Color) -> float:
    """Source: WCAG 2, relative luminance."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", THEMES)
def test_every_word_can_be_read_under_every_theme(theme: str) -> None:
    styles = inks(theme)
    base = ground(theme)
    for name in get_args(InkName):
        assert contrast(styles.style(name, base)) > READABLE, name
    for (state, piece), style in styles.palette(base):
        assert contrast(style) > READABLE, (state, piece)


@pytest.mark.parametrize("theme", THEMES)
def test_the_cursor_stands_out_under_every_theme(theme: str) -> None:
    palette = dict(inks(theme).palette(ground(theme)))
    row, cursor = palette[RowState.ROW, ""], palette[RowState.CURSOR, ""]
    assert row.bgcolor != cursor.bgcolor
    assert cursor.bold


def test_without_colours_things_are_told_apart_by_attributes() -> None:
    palette = dict(inks("nord", colourless=True).palette(ground("nord")))
    assert palette[RowState.CURSOR, ""].reverse
    assert palette[RowState.HEADER, ""].underline
    assert not palette[RowState.ROW, ""].reverse
    assert inks("nord", colourless=True).style("here", ground("nord")).underline


def test_a_palette_has_every_piece_in_every_state_and_is_made_once() -> None:
    styles = inks("nord")
    palette = styles.palette(ground("nord"))
    assert {key for key, _style in palette} == {(state, name) for state in RowState for name in STYLE_NAMES}
    assert styles.palette(ground("nord")) is palette
    assert styles.style("good", ground("nord")) is styles.style("good", ground("nord"))


def test_the_variables_of_a_theme_are_asked_for_once() -> None:
    store, asked = InkStore(), list[str]()

    def variables() -> dict[str, str]:
        asked.append("again")
        return variables_of("nord")

    first = store.of("nord", variables, colourless=False)
    assert store.of("nord", variables, colourless=False) is first
    assert store.of("nord", variables, colourless=True) is not first
    assert len(asked) == 2


async def test_screens_that_are_not_shown_change_their_theme_too() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("uuutorrent")
        before = seat.glass.cell_at("uuutorrent").fg
        seat.app.call_later(setattr, seat.app, "theme", "catppuccin-latte")
        await seat.until(lambda: seat.glass.cell_at("uuutorrent").fg != before, "another ink")
