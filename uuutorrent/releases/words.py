"""Titles as comparable words: how two spellings of one title become the same. No I/O.

Case, accents, punctuation, width, "&" and "×" and the length of Japanese vowels do not tell titles apart; words and
numbers do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
# Han, kana and Hangul are written without spaces, so each sign is a word of its own.
_WORD = re.compile(rf"[{_CJK}]|[&×]|[^\W_{_CJK}]+(?:['’`´][^\W_{_CJK}]+)*")
_SPELT = {"&": "and", "×": "x", "wo": "o", "ha": "wa"}
_AT = re.compile(r"(?<=\w)@(?=\w)")
"""Stands for an a, as in "THE IDOLM@STER"."""
_DROPPED = frozenset({"the"})
_LONG_O = re.compile(r"ou|oo|oh(?![aeiouy])")


class Word(NamedTuple):
    """A word, normalised, and where it stands in the text."""

    text: str
    start: int
    end: int


def words(text: str) -> tuple[Word, ...]:
    """The words of a text in order, each in the spelling that is compared."""
    found = [
        Word(_plain(match[0]), match.start(), match.end())
        for match in _WORD.finditer(_AT.sub("a", text) if "@" in text else text)
    ]
    return tuple([word for word in found if word.text])


def key(found: Iterable[str]) -> str:
    """One string for a sequence of words: equal exactly when two spellings are taken for the same title."""
    return "".join(sound(word) for word in found if word not in _DROPPED)


def sound(word: str) -> str:
    """A word without the length of its vowels, which romanisations write or leave out."""
    return _LONG_O.sub("o", word).replace("uu", "u")


def _plain(word: str) -> str:
    if not word.isalnum():
        word = re.sub(r"['’`´]", "", word)
    if not word.isascii() and word not in _SPELT:
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word))
        # Only Latin accents go; taking the marks off kana would make other letters of them.
        word = unicodedata.normalize("NFC", re.sub(r"[\u0300-\u036f\u2044\s]", "", folded))
    word = word.casefold()
    return _SPELT.get(word, word)
