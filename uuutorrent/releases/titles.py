"""What a title says about its place in a series: "Overlord IV" is Overlord, season 4. No I/O."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from uuutorrent.releases.words import key, words

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
HAN = "一二三四五六七八九十"

_ORDINAL = rf"(\d{{1,2}})(?:st|nd|rd|th)|({'|'.join(ORDINALS)})"
_NUMBER = rf"(\d{{1,2}})|({'|'.join(NUMBERS)})|({'|'.join(reversed(ROMAN))})"
_HAN_COUNT = rf"(\d{{1,2}}|[{HAN}])"
_SEASON = re.compile(
    rf"(?<!\w)(?:(?:{_ORDINAL}) season|(?:season|saison|temporada|シ ー ズ ン) (?:{_NUMBER})|s(\d{{1,2}})"
    rf"|(?:第 )?{_HAN_COUNT} [期季])(?!\w)"
)
_PART = re.compile(
    rf"(?<!\w)(?:(?:{_ORDINAL}) (?:part|cour)(?! ?\d)|(?:part|cour) (?:{_NUMBER})"
    rf"|第 {_HAN_COUNT} (?:ク ー ル|部 分|部))(?!\w)"
)
_YEAR = re.compile(r"[(\[]((?:19[6-9]|20[0-3])\d)[)\]]")
_BARE_YEAR = re.compile(r"(?<=\w) ((?:19[6-9]|20[0-3])\d)$")
_LAST_NUMERAL = re.compile(rf"(?<!^)(?<!\bno) (?:([2-9])|({'|'.join(reversed(ROMAN[1:]))}))$")
_SIGNS = ("So", "Sm")
_INNER_NUMERAL = re.compile(r"(?<!^) (ii|iii|iv|vi|vii|viii)(?= )")


@dataclass(frozen=True, slots=True)
class Shape:
    """One reading of a title: what is left without the words that count seasons and parts, and those counts."""

    base: str
    """Comparable with `==` only."""
    season: int | None = None
    part: int | None = None
    year: int | None = None
    literal: bool = True
    """Nothing but season words, part words and a year in brackets was taken out."""
    signs: str = ""
    """The signs that tell "K-ON!" from "K-ON!!"; they matter only where nothing else does."""


def shapes(title: str) -> tuple[Shape, ...]:
    """The readings of a title, the most literal first; a numeral at the end may or may not count seasons."""
    year = _YEAR.search(title)
    spoken = " ".join(word.text for word in words(title.replace(year[0], " ") if year else title))
    rest, season = _taken(_SEASON, spoken.replace("セ カ ン ド シ ー ズ ン", "season 2"))
    rest, part = _taken(_PART, rest)
    rest = rest.removesuffix(" tv") if " " in rest else rest
    literal = Shape(_key(rest), season, part, int(year[1]) if year else None, signs=_signs(title))
    if "%" not in title and (bare := _BARE_YEAR.search(rest)):
        return (literal, replace(literal, base=_key(rest[: bare.start()]), year=int(bare[1]), literal=False))
    if season is not None:
        return (literal,)
    for pattern in (_LAST_NUMERAL, _INNER_NUMERAL):
        shorter, numeral = _taken(pattern, rest)
        if numeral is not None and shorter.strip():
            return (literal, replace(literal, base=_key(shorter), season=numeral, literal=False))
    return (literal,)


def without_season(title: str) -> str:
    """A title up to the first word that counts seasons or parts, or to its year; all of it if it begins so."""
    if year := _YEAR.search(title):
        title = title[: year.start()] or title
    found = words(title)
    spoken = " ".join(word.text for word in found)
    starts = [match.start() for pattern in (_SEASON, _PART) if (match := pattern.search(spoken))]
    before = spoken[: min(starts, default=len(spoken))].split()
    return title[found[0].start : found[len(before) - 1].end] if before else title


def count_of(word: str) -> int:
    """The number a word stands for: "2", "2nd", "second", "two", "II", "二"."""
    word = word.lower()
    if digits := re.match(r"\d+", word):
        return int(digits[0])
    for series in (ORDINALS, NUMBERS, ROMAN, HAN):
        if word in series:
            return series.index(word) + 1
    raise ValueError(word)


def _taken(pattern: re.Pattern[str], spoken: str) -> tuple[str, int | None]:
    match = pattern.search(spoken)
    if match is None:
        return spoken, None
    said = next(group for group in match.groups() if group)
    return f"{spoken[: match.start()].strip()} {spoken[match.end() :].strip()}".strip(), count_of(said)


def _signs(title: str) -> str:
    plain = unicodedata.normalize("NFKC", title).replace("’", "'").replace("′", "'").rstrip()
    strokes = len(plain) - len(plain.rstrip("'"))
    return "".join(filter(_is_sign, title)) + (plain[-strokes:] if strokes else "." * plain.endswith("."))


def _is_sign(sign: str) -> bool:
    plain = sign if sign.isascii() else unicodedata.normalize("NFKC", sign)
    return plain in ("!", "?", "*") or (not sign.isascii() and sign != "×" and unicodedata.category(sign) in _SIGNS)


def _key(spoken: str) -> str:
    return key(spoken.split())
