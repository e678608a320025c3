"""Text from outside, made harmless for a terminal.

Release names, titles and trackers' messages are written by strangers. Control characters among them would drive the
reader's terminal (OSC 52 writes the clipboard), and bidirectional marks would reorder what stands beside them.
"""

from __future__ import annotations

_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SEPARATORS = (0x2028, 0x2029)
_SURROGATES = range(0xD800, 0xE000)
_HARMFUL = dict.fromkeys((*_CONTROLS, *_BIDI, *_SEPARATORS, *_SURROGATES))
_SPACED = dict.fromkeys((0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, *_SEPARATORS), " ")


def stripped(text: str) -> str:
    """The text without control characters and bidirectional marks: what a painted line may hold.

    Source: ECMA-48 (C0, C1), Unicode Standard Annex 9 (explicit directional formatting).
    """
    return text if text.isprintable() else text.translate(_HARMFUL)


def plain(text: str) -> str:
    """The text on one line: line breaks and tabs become spaces, the rest of what is harmful goes."""
    return text if text.isprintable() else text.translate(_SPACED).translate(_HARMFUL)
