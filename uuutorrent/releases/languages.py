"""What a release's name says about languages: which are spoken, which are written. No I/O.

`LANGUAGE` and `NAME` tell `marks` what such words look like; `read` tells what those of one name say together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

MULTI = "multi"
"""Several languages, of which none is named."""

# A full name means a language wherever it stands apart, a code only in upper case or beside "sub" and "dub".
_NAMES: Mapping[str, str] = {
    "ja": "japanese japonais japones japonés giapponese",
    "en": "english anglais ingles inglés inglese",
    "fr": "truefrench french francais français frances francés francese",
    "it": "italian italiano italiana",
    "es": "spanish español espanol castellano latino latam",
    "pt": "portuguese português portugues",
    "de": "german deutsch",
    "ru": "russian русские русский русская рус",
    "ar": "arabic العربية",
    "hi": "hindi",
    "ta": "tamil",
    "te": "telugu",
    "zh": "chinese mandarin cantonese",
    "ko": "korean",
    "th": "thai",
    "vi": "vietnamese viet",
    "id": "indonesian indonesia indo",
    "ms": "malay",
    "tr": "turkish türkçe",
    "pl": "polish",
}
_CODES: Mapping[str, str] = {
    "ja": "jpn jap ja jp",
    "en": "eng en",
    "fr": "fre fra fr",
    "it": "ita",
    "es": "spa-la spa-es esp-la es-la es-419 spa esp",
    "pt": "por-br pt-br ptbr por",
    "de": "ger deu",
    "ru": "rus ru",
    "ar": "ara",
    "hi": "hin",
    "zh": "chs cht chi sc tc gb big5",
    "ko": "kor",
    "th": "tha",
    "vi": "vie",
    "id": "ind",
    "tr": "tur",
    "pl": "pol",
}
_SHORTEST: Mapping[str, str] = {"es": "es sp", "zh": "zh cn ch", "it": "it", "de": "de", "pt": "pt", "ar": "ar"}
"""Read only beside "sub" and "dub"."""
_WHOLE: Mapping[str, str] = {
    "ja zh": "jpsc jptc",
    "fr": "vostfr vosta vost vff vfq vf",
    "pt": "legendado legendada legendados dublado dublada",
    "en": "esub esubs e-subs",
}
"""Words that say a language and its use at once."""
_SIGNS = {**dict.fromkeys("简簡繁中国國粤粵", "zh"), "日": "ja", "英": "en", "韩": "ko", "韓": "ko"}


def _by_spelling(*tables: Mapping[str, str]) -> dict[str, str]:
    return {said: code for table in tables for code, spellings in table.items() for said in spellings.split()}


def _any_of(spellings: Iterable[str]) -> str:
    """A pattern for any of these, the longest first; by first letters, which makes it several times faster."""
    by_first: dict[str, list[str]] = {}
    for said in sorted(spellings, key=len, reverse=True):
        by_first.setdefault(said[0], []).append(re.escape(said[1:]))
    return "(?:" + "|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in by_first.items()) + ")"


def _upper(table: Mapping[str, str]) -> str:
    return f"(?-i:{_any_of(map(str.upper, _by_spelling(table)))})"


_CODE_OF = _by_spelling(_NAMES, _CODES, _SHORTEST, _WHOLE)
NAME = _any_of(_by_spelling(_NAMES))
"""A language's name by itself: it may as well be a word of a title."""
_BARE = f"(?:{NAME}|{_upper(_CODES)})"
_ANY = f"(?:{_any_of(_by_spelling(_NAMES, _CODES))}|{_upper(_SHORTEST)})"
_BETWEEN = r"(?: ?[-+/&,.] ?| )"
_SEVERAL = rf"{_ANY}(?:{_BETWEEN}{_ANY})*"
_SUBS = r"(?:(?:soft|hard|fan)?-?sub(?:title[sd]?|titulad[oa]s?|bed|s)?|altyazı|саб(?:ы)?|субтитры|суб)"
_DUBS = r"(?:(?:fan)?dub(?:bed|s)?|audio|озвучка)"
# Most words are no languages: that is asked once, before what might follow one.
LANGUAGE = (
    rf"(?={_ANY})(?:{_SEVERAL}[ .-]?(?:{_SUBS}|{_DUBS})(?:x\d)?|{_BARE}(?:{_BETWEEN}{_BARE})+|{_upper(_CODES)})"
    rf"|(?:{_SUBS}|{_DUBS})[ .:-]?[({{]?{_SEVERAL}|(?:multi(?:ple)?|m|dual)[ -]?{_SUBS}"
    rf"|(?:{_SUBS}|CR-dub|dub(?:bed)?)(?:x\d)?|{_any_of(_by_spelling(_WHOLE))}"
    r"|ru_jp|(?-i:MULT[Ii])(?![ -]?(?:audio|sub))"
    r"|[简簡繁中日英韩韓国國粤粵雙双]+(?:[体體文语語]*(?:内|內|外)?[嵌封挂掛]*(?:字幕)?(?:配音)?)"
)

_SPOKEN = re.compile(r"dub|audio|озвуч|配音|[国國粤粵][语語]|\bvf", re.I)
_WRITTEN = re.compile(r"sub|\bvost|legend|altyaz|саб|суб|[字嵌封挂掛简簡繁]|jp[st]c|ch[st]|\b(?:[st]c|gb|big5)\b", re.I)
_SPOKEN_CODES = frozenset({"ja", "it", "hi"})
_WRITTEN_NAMES = frozenset({"ar", "vi", "id", "th", "tr", "ms", "zh"})
_FULL = frozenset(_by_spelling(_NAMES))
_TOKEN = re.compile(
    rf"(?:(?<![^\W_])|(?<=sub)|(?<=dub)){_any_of(_CODE_OF)}(?=(?:{_SUBS}|{_DUBS})?(?:x\d)?(?![^\W_]))"
    rf"|[{''.join(_SIGNS)}]",
    re.I,
)


def read(said: Iterable[str], *, dual: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The languages spoken and written, from the marks about languages in one name; `dual` says "dual audio".

    Two languages of which one or none is named are taken for Japanese and English.
    """
    spoken: list[str] = []
    written: list[str] = []
    names: list[str] = []
    codes: list[str] = []
    for text in said:
        found = list(_languages(text))
        if _SPOKEN.search(text):
            spoken += found or ["en"]
        elif _WRITTEN.search(text):
            written += found or ([MULTI] if text[:1] in "mMdD" else [])
        elif text.upper() == "MULTI":
            spoken.append(MULTI)
        elif len(found) > 1 and "ja" in found:
            spoken += found
        else:
            (names if text.lower() in _FULL else codes).extend(found)
    _share_out(names, codes, spoken, written)
    if dual and MULTI not in spoken:
        spoken += [code for code in ("ja", "en") if code not in spoken][: max(0, 2 - len(set(spoken)))]
    return _distinct(spoken), _distinct(written)


def _languages(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        word = match[0].lower()
        yield from (_SIGNS.get(word) or _CODE_OF[word]).split()


def _share_out(names: list[str], codes: list[str], spoken: list[str], written: list[str]) -> None:
    """Languages of which is not said what they are for: most uploaders who name one code mean their subtitles."""
    if "ja" in codes:
        spoken += names + codes
        return
    for name in names:
        (written if name in _WRITTEN_NAMES else spoken).append(name)
    alone = len(codes) == 1 and not written
    (spoken if alone and codes[0] in _SPOKEN_CODES else written).extend(codes)


def _distinct(codes: list[str]) -> tuple[str, ...]:
    """In the order named; that there are several needs no saying where two are named."""
    named = tuple(dict.fromkeys(code for code in codes if code != MULTI))
    return named if len(named) > 1 else tuple(dict.fromkeys(codes))
