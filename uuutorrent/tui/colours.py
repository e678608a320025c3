"""Colours a terminal can show: found out from what it says of itself, and everything else brought down to them.

Styles are shared between sessions and remember how they were painted, so every session paints in 24 bits, and what
leaves for a lesser terminal is rewritten here on its way out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal

from rich.color import Color
from rich.color import ColorSystem as RichSystem

Colours = Literal["truecolor", "256", "16", "none"]

_TRUECOLOR_TERMS = ("kitty", "alacritty", "foot", "wezterm", "ghostty", "contour", "rio", "iterm", "konsole", "vte")
_NO_COLOUR_TERMS = ("vt100", "vt102", "vt220", "vt320", "mono", "-m")
_SGR = re.compile("\x1b\\[([0-9;]+)m")
_SYSTEMS = {"256": RichSystem.EIGHT_BIT, "16": RichSystem.STANDARD}


def colours_of(term: str, env: Mapping[str, str]) -> Colours:
    """What a client's terminal shows, from TERM and the variables it sent.

    Source: no-color.org (NO_COLOR, present and not empty); COLORTERM as terminals set it; terminfo names.
    """
    name = term.lower()
    if env.get("NO_COLOR") or name.endswith(_NO_COLOUR_TERMS):
        return "none"
    told = (env.get("COLORTERM") or env.get("LC_COLORTERM") or "").strip().lower()
    if told in ("truecolor", "24bit") or name.endswith("-direct") or any(known in name for known in _TRUECOLOR_TERMS):
        return "truecolor"
    return "256" if "256" in name else "16"


def downgrade(text: str, colours: Colours) -> str:
    """Painted text with its colours brought down to what the terminal shows; attributes such as bold stay."""
    if colours == "truecolor":
        return text
    # Text and parameters by turns: splitting is twice as fast as calling back for every match.
    parts = _SGR.split(text)
    parts[1::2] = [_rewritten(parameters, colours) for parameters in parts[1::2]]
    return "".join(parts)


@lru_cache(maxsize=8192)
def _rewritten(parameters: str, colours: Colours) -> str:
    codes: list[str] = []
    ink: list[str] = []
    ground: list[str] = []
    for code in _codes(parameters):
        if isinstance(code, str):
            codes += [] if colours == "none" and _is_colour(code) else [code]
        elif colours != "none":
            foreground, colour = code
            (ink if foreground else ground)[:] = colour.downgrade(_SYSTEMS[colours]).get_ansi_codes(foreground)
    if colours == "16" and ink and ground and int(ink[0]) + 10 == int(ground[0]):
        # Two colours became one; what is written must stay readable.
        ink = ["30"] if ground[0] in ("47", "107", "46", "43", "42", "106", "103", "102") else ["97"]
    codes += ink + ground
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _codes(parameters: str) -> Iterator[str | tuple[bool, Color]]:
    """The codes of one sequence; 24-bit and 256-colour ones as (is foreground, colour)."""
    given = iter(parameters.split(";"))
    for code in given:
        if code not in ("38", "48"):
            yield code
            continue
        kind = next(given, "")
        if kind == "2":
            red, green, blue = (int(next(given, "") or 0) & 255 for _ in range(3))
            yield code == "38", Color.from_rgb(red, green, blue)
        elif kind == "5":
            yield code == "38", Color.from_ansi(int(next(given, "") or 0) & 255)


def _is_colour(code: str) -> bool:
    number = int(code or 0)
    return 30 <= number <= 49 or 90 <= number <= 107
