"""What the names of styles look like under a theme: worked out once for all sessions.

Textual would keep a node for every component class of every widget, and style each of them four times while a screen
opens: a third of the time until the first picture, and of a session's memory. Sheets say how widgets look; the words
within a line are inked here, from the same theme variables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from rich.style import Style
from textual.color import Color
from textual.dom import DOMNode

from uuutorrent.tui.cells import STYLE_NAMES, Palette, RowState, StyleName

InkName = Literal["", "good", "bad", "warn", "dim", "accent", "bar", "key", "here"]
"""How words within a line stand out."""


@dataclass(frozen=True, slots=True)
class _Ink:
    variable: str
    bold: bool | None = None
    underline: bool | None = None
    italic: bool | None = None


_INKS: Mapping[InkName, _Ink] = {
    "good": _Ink("text-success"),
    "bad": _Ink("text-error", bold=True),
    "warn": _Ink("text-warning", bold=True),
    "dim": _Ink("foreground-muted"),
    "accent": _Ink("text-accent", bold=True),
    "bar": _Ink("primary"),
    "key": _Ink("text-accent", bold=True),
    "here": _Ink("foreground", bold=True, underline=True),
}


class Inks:
    """The inks of one theme, with colours or (`colourless`) telling things apart by bold, underline and reverse."""

    def __init__(self, variables: Mapping[str, str], *, colourless: bool = False) -> None:
        self._variables = variables
        self._colourless = colourless
        self._styles: dict[tuple[InkName, Style], Style] = {}
        self._palettes: dict[Style, Palette] = {}

    def style(self, name: InkName, ground: Style) -> Style:
        """Words with this name on a widget whose own style is `ground`."""
        if not name:
            return ground
        key = (name, ground)
        if key not in self._styles:
            ink = _INKS[name]
            colour = (_background(ground) + self._colour(ink.variable)).rich_color
            self._styles[key] = ground + Style(color=colour, bold=ink.bold, underline=ink.underline, italic=ink.italic)
        return self._styles[key]

    def palette(self, ground: Style) -> Palette:
        """The styles of a table whose own style is `ground`."""
        if ground not in self._palettes:
            self._palettes[ground] = tuple(
                ((state, name), self._piece(state, name, base))
                for state, base in self._states(ground).items()
                for name in STYLE_NAMES
            )
        return self._palettes[ground]

    def _states(self, ground: Style) -> dict[RowState, Style]:
        surface, beneath = self._colour("surface"), _background(ground)
        cursor = self._colour("block-cursor-background")
        header = Style(bold=True, underline=self._colourless or None)
        return {
            RowState.HEADER: self.style("dim", _on(ground, beneath + surface)) + header,
            RowState.ROW: ground,
            RowState.MARKED: _on(ground, beneath + self._colour("boost")) + Style(bold=True),
            RowState.CURSOR: _on(ground, beneath + cursor)
            + Style(
                color=(beneath + cursor + self._colour("block-cursor-foreground", on=beneath + cursor)).rich_color,
                bold=True,
                reverse=self._colourless or None,
            ),
            RowState.RESTING: _on(ground, beneath + surface),
        }

    def _piece(self, state: RowState, name: StyleName, base: Style) -> Style:
        # What stands out on a plain row would be hard to read on the cursor's colour.
        return self.style(name, base) if state in (RowState.ROW, RowState.MARKED) else base

    def _colour(self, variable: str, on: Color | None = None) -> Color:
        """A theme variable; `auto 87%` means whatever can be read `on` a colour."""
        value = self._variables[variable]
        if value.startswith("auto"):
            share = float(value.removeprefix("auto").strip().removesuffix("%") or 100) / 100
            return (on or Color(0, 0, 0)).get_contrast_text(share)
        return Color.parse(value)


class InkStore:
    """The inks of every theme in use."""

    def __init__(self) -> None:
        self._inks: dict[tuple[str, bool], Inks] = {}

    def of(self, theme: str, variables: Callable[[], Mapping[str, str]], *, colourless: bool) -> Inks:
        """The inks of a theme; its variables are asked for only the first time."""
        key = (theme, colourless)
        if key not in self._inks:
            self._inks[key] = Inks(variables(), colourless=colourless)
        return self._inks[key]


def inks_of(node: DOMNode) -> Inks:
    """The inks for a widget: those its app shares with other sessions, where it has them."""
    inks = getattr(node.app, "inks", None)
    return inks if isinstance(inks, Inks) else Inks(node.app.get_css_variables())


def _background(style: Style) -> Color:
    return Color.from_rich_color(style.bgcolor) if style.bgcolor is not None else Color(0, 0, 0)


def _on(ground: Style, colour: Color) -> Style:
    return ground + Style(bgcolor=colour.rich_color)
