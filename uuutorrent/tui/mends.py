"""What must be mended in Textual 8.2.8 before many people can share one process.

Textual is written for one app in one terminal of its own. `apply` changes what would leak memory from session to
session or let a stranger's text drive a person's terminal; what can be said by overriding is in `shell` instead.
Each mend was reproduced on exactly this version, so another version is refused until somebody has looked again.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import textual
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style as RichStyle
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.cache import FIFOCache
from textual.color import Color
from textual.strip import Strip
from textual.style import Style

from uuutorrent.tui.plain import stripped

VERSION = "8.2.8"

_CACHES = {
    "_divide_cache": 4,
    "_crop_cache": 16,
    "_style_cache": 16,
    "_filter_cache": 4,
    "_line_length_cache": 4,
    "_crop_extend_cache": 4,
    "_offsets_cache": 4,
}
"""The caches of a strip, with the sizes Textual gives them."""


def apply() -> None:
    """Mend Textual, once per process.

    Raises:
        RuntimeError: this is not the version the mends were made for.
    """
    if textual.__version__ != VERSION:
        raise RuntimeError(f"the mends are for Textual {VERSION}, this is {textual.__version__}: look at tui/mends.py")
    if Strip.render is _render:
        return
    _forget_parsers()
    _forget_widgets()
    _make_strips_small()
    Strip.render = _render  # type: ignore[assignment,method-assign]  # the one place every painted line leaves through


def _forget_parsers() -> None:
    # A cache on the method keeps parsers, each of which keeps its last key, which keeps the app.
    uncached = getattr(XTermParser._parse_extended_key, "__wrapped__")  # noqa: B009 - functools does not declare it
    XTermParser._parse_extended_key = uncached  # type: ignore[method-assign]  # same signature


def _forget_widgets() -> None:
    # A cache on the method keeps the caches of removed widgets, with everything they painted.
    StylesCache.get_inner_outer = _inner_outer_of  # type: ignore[assignment,method-assign]  # same signature


def _make_strips_small() -> None:
    # Every line gets seven empty caches, more than the line itself weighs; most are never used.
    Strip.__init__ = _begin_strip  # type: ignore[method-assign]  # same signature
    Strip.__getattr__ = _make_cache  # type: ignore[attr-defined]  # reached only for slots that are not filled yet


@lru_cache(1024)
def _inner_outer(base_background: Color, background: Color) -> tuple[Style, Style]:
    return Style(background=base_background + background), Style(background=base_background)


def _inner_outer_of(_cache: StylesCache, base_background: Color, background: Color) -> tuple[Style, Style]:
    return _inner_outer(base_background, background)


def _begin_strip(self: Strip, segments: Iterable[Segment], cell_length: int | None = None) -> None:
    self._segments = list(segments)
    self._cell_length = cell_length
    self._render_cache = None
    self._link_ids = None
    self._cell_count = None


def _make_cache(self: Strip, name: str) -> FIFOCache[object, object]:
    if name not in _CACHES:
        raise AttributeError(name)
    cache: FIFOCache[object, object] = FIFOCache(_CACHES[name])
    setattr(self, name, cache)
    return cache


def _render(self: Strip, _console: Console) -> str:
    """The strip as bytes for a terminal, always in 24 bits: what was painted is shared by sessions of all colours.

    Control characters and bidirectional marks of the content are left out, as are hyperlinks.
    """
    if self._render_cache is None:
        self._render_cache = "".join(
            _painted(stripped(text), style) if style else stripped(text) for text, style, _control in self._segments
        )
    return self._render_cache


def _painted(text: str, style: RichStyle) -> str:
    codes = style._ansi
    if codes is None:
        codes = Strip.render_ansi(style, ColorSystem.TRUECOLOR)
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text
