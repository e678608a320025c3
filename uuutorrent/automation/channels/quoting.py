"""Our texts for services that read markup: what a stranger called a release stays words there.

Titles of releases are written by strangers. In a chat they could call everybody (`@everyone`), show a link under other
words, or change how the rest of the message looks.
"""

from __future__ import annotations

import re

_JOINER = "\N{WORD JOINER}"
"""It is not seen, and nothing on both sides of it is read as one."""
_LINKS = re.compile(r"\](?=[(\[:])")
_MENTIONS = re.compile(r"@(?=\S)")
_STARTS = re.compile(r"^(?=[#>+=|/-])", re.MULTILINE)
_ANGLES = str.maketrans("<>", "‹›")


def cleaned(text: str) -> str:
    """The text on one line, without what drives a terminal or turns the direction of what stands beside it."""
    kept = (char if char.isprintable() else " " if char.isspace() else "" for char in text)
    return " ".join("".join(kept).split())


def calm(text: str, escaped: str) -> str:
    """The text without mentions, links under other words, tags, headings and lists.

    `escaped` are the characters that this service takes literally after a backslash.
    """
    marked = "".join(f"\\{char}" if char in escaped else char for char in text)
    joined = _LINKS.sub(f"]{_JOINER}", _MENTIONS.sub(f"@{_JOINER}", marked))
    return _STARTS.sub(_JOINER, joined).translate(_ANGLES)
