"""Titles as comparable words: how two spellings of one title become the same. No I/O.

Case, accents, punctuation, width, "&" and "×" and the length of Japanese vowels do not tell titles apart; words and
numbers do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
# Han, kana and Hangul are written without spaces, so each sign is a word of its own.
_WORD = re.compile(rf"[{_CJK}]|[&×]|[^\W_{_CJK}]+(?:['’`´][^\W_{_CJK}]+)*")
_SPELT = {"&": "and", "×": "x", "wo": "o"}
_DROPPED = frozenset({"the"})


@dataclass(frozen=True, slots=True)
class Word:
    """A word, normalised, and where it stands in the text."""

    text: str
    start: int
    end: int


def words(text: str) -> tuple[Word, ...]:
    """The words of a text in order, each in the spelling that is compared."""
    found = (Word(_plain(match[0]), match.start(), match.end()) for match in _WORD.finditer(text))
    return tuple(word for word in found if word.text)


def key(found: Iterable[str]) -> str:
    """One string for a sequence of words: equal exactly when two spellings are taken for the same title."""
    return "".join(sound(word) for word in found if word not in _DROPPED)


def sound(word: str) -> str:
    """A word without the length of its vowels, which romanisations write or leave out."""
    return word.replace("ou", "o").replace("oo", "o").replace("uu", "u")


def _plain(word: str) -> str:
    if word in _SPELT:
        return _SPELT[word]
    if not word.isascii():
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word))
        # Only Latin accents go; taking the marks off kana would make other letters of them.
        word = unicodedata.normalize("NFC", re.sub(r"[\u0300-\u036f\u2044]", "", folded))
    word = re.sub(r"['’`´]", "", word.casefold())
    return _SPELT.get(word, word)
