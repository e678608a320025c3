"""What stands in brackets in a release's name beside its title, and means that it is something else. No I/O."""

from __future__ import annotations

import re

from uuutorrent.releases.release import ReleaseName

_BESIDE_THE_SHOW = re.compile(
    r"(?:mini|chibi|petit|shorts?|spin-?off|live action|picture drama|audio drama|drama cd|stage(?: play)?|manga|novel"
    r"|game|(?:web )?previews?|commentary|making(?: of)?|nc(?:op|ed)\d*|[pc][vm] ?\d*|openings?|endings?|soundtrack|ost"
    r"|trailers?|teasers?|menus?|interviews?|samples?|extras?|bonus)(?: anime| series| theater)?",
    re.I,
)
_BRACKETS = re.compile(r"[(\[【「]([^()\[\]【】「」]*)[)\]】」]")
_SEASON_ALONE = re.compile(r"TV[ -]?([2-9])|([2-9])(?:nd|rd|th)|([2-9])x\d{2,3}", re.I)
_PIECE = re.compile(r"(\d+) ?(?:of|/) ?\d+")


def asides(name: ReleaseName) -> tuple[str, ...]:
    """What stands in brackets, but for the group in front; a season that is only a number gets its word."""
    found = (match[1].strip() for match in _BRACKETS.finditer(name.raw) if match.start())
    return tuple(_with_word(aside) for aside in found if aside and aside != name.group)


def is_beside(aside: str, name: ReleaseName) -> bool:
    """Whether words in brackets say that this is no episode, or a piece of one."""
    if (piece := _PIECE.fullmatch(aside)) is not None:
        return int(piece[1]) != name.episode
    return _BESIDE_THE_SHOW.fullmatch(aside) is not None


def _with_word(aside: str) -> str:
    alone = _SEASON_ALONE.fullmatch(aside)
    return f"Season {next(filter(None, alone.groups()))}" if alone else aside
