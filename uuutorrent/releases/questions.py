"""What to ask the index about an episode, in its own grammar. No I/O.

Words are ANDed in any order, a|b is either, parentheses group. A word finds whatever it begins, one of more than 15
characters only itself. Nothing is quoted: a quoted phrase must stand in a name to the letter, signs and all, which
titles rarely do.
Source: nyaadevs/nyaa (search.py, es_mapping.yml), Lucene's SimpleQueryParser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from uuutorrent.anime.anime import Anime, Family
from uuutorrent.releases.kin import Kin
from uuutorrent.releases.titles import shapes, without_season

SHORTEST = 4
"""Letters of a title that can be asked for by itself; what is shorter is in too many names."""
SHORTEST_HEAD = 6
LONGEST_TITLE = 80
MOST_TITLES = 6
MOST_TOLD = 3
"""Of the titles that people say belong to the show."""
LONGEST_QUERY = 300
WEAK = 3
HEAD_WORDS = 3
"""A title this long and longer by two is often cut."""
_WORD = re.compile(r"[^\W_]+(?:['’`´][^\W_]+)*")
_LONG_VOWEL = re.compile(r"(o)[ou]|(u)u", re.IGNORECASE)
_NUMERAL = re.compile(r"[2-9]|I[IVX]|III|VI{0,3}")
_APOSTROPHE = re.compile(r"['’`´]")
_UNSURE = frozenset({"a", "an", "and", "o", "s", "the", "wo", "x"})
"""Words that one writes and another leaves out, or spells otherwise."""
Words = tuple[str, ...]


class Questions:
    """The questions about one episode: nobody else's answer differs, so they can be shared.

    `more` are titles that people say belong to the show; who holds the same corrections asks the same. Each question
    is empty when there is no title to ask for.
    """

    def __init__(self, family: Family, episode: int, more: Sequence[str] = ()) -> None:
        self._family = family
        self._episode = episode
        self._first = family.prequels[-1] if family.prequels else family.anime
        self._titles = tuple(_chosen(family.anime, self._first, more))

    @property
    def titles(self) -> str:
        """Every post of the show, whatever its number: one answer serves all its episodes."""
        return _either(self._titles)

    @property
    def numbered(self) -> str:
        """Only posts with the episode's number in one of its forms; for shows with more posts than an answer holds."""
        return self._with_number(self.titles)

    @property
    def loose(self) -> str:
        """What the titles miss: posts that name only their beginning, and titles whose words are in many names."""
        return _either(tuple(self._loosely()))

    @property
    def loose_numbered(self) -> str:
        """`loose`, with the number."""
        return self._with_number(self.loose)

    def _with_number(self, query: str) -> str:
        # What is a single film or episode bears no number.
        is_counted = self._family.anime.episodes != 1
        return f"{query} ({'|'.join(self._forms())})" if query and is_counted else ""

    def _loosely(self) -> Iterator[Words]:
        kept: list[Words] = []
        romaji = {without_season(anime.romaji) for anime in (self._first, self._family.anime)}
        for title in _latin(self._family.anime, self._first):
            for words in _otherwise(title, is_sequel=bool(self._family.prequels), is_romaji=title in romaji):
                if words and not any(_covers(other, words) for other in (*self._titles, *kept)):
                    kept = [other for other in kept if not _covers(words, other)] + [words]
        yield from _within(kept)

    def _forms(self) -> Iterable[str]:
        kin, number = Kin(self._family), self._episode
        base = shapes(self._family.anime.title)[0].base
        starts = sorted({kin.episodes_from(order) or 0 for order in range(len(kin.chain))} | {kin.offset or 0})
        forms = [f"{number:02}", f"{number:03}", f"e{number:02}", f"ep{number:02}"]
        for season in sorted(kin.seasons_in(base)[0]):
            forms += [f"s{season:02}e{number + start:02}" for start in starts]
        return dict.fromkeys([*forms, *(f"{number + start:02}" for start in starts)])


def _chosen(anime: Anime, first_season: Anime, more: Sequence[str]) -> Iterator[Words]:
    """Titles without their season, the best known first; what another title finds as well is left out."""
    told = tuple(map(without_season, more[:MOST_TOLD]))
    is_sequel = anime is not first_season
    kept: list[Words] = []
    for title in _titles(anime, first_season, told):
        words = _uncounted(_words(title)) if is_sequel else _words(title)
        is_told = title in told and len("".join(words)) > 1
        if not is_told and (len("".join(words)) < SHORTEST or _is_weak(words)):
            continue
        if not any(_covers(other, words) for other in kept):
            kept = [other for other in kept if not _covers(words, other)] + [words]
    if not any(_is_latin("".join(words)) for words in kept):
        kept += [words for title in _latin(anime, first_season)[:2] if (words := _words(title))]
    yield from _within(kept)


def _within(titles: Sequence[Words]) -> Iterator[Words]:
    """As many as a question has room for."""
    length = 0
    for words in titles[:MOST_TITLES]:
        taken = len(_group(words)) + 1
        if length + taken <= LONGEST_QUERY or words is titles[0]:
            length += taken
            yield words


def _latin(anime: Anime, first_season: Anime) -> tuple[str, ...]:
    """Titles in Latin letters without their season, the best known first."""
    main = [title for one in (first_season, anime) for title in (one.romaji, one.english) if title]
    return tuple(dict.fromkeys(map(without_season, [*main, *filter(_is_latin, anime.synonyms)])))


def _otherwise(title: str, *, is_sequel: bool, is_romaji: bool) -> Iterator[Words]:
    """How else a title may be written: cut at its colon or after some words, without hyphens, with short vowels."""
    before, colon, _ = title.partition(":")
    whole = _uncounted(_words(title)) if is_sequel else _words(title)
    head = _words(before) if colon else whole[:HEAD_WORDS] if len(whole) >= HEAD_WORDS + 2 else ()
    if len("".join(head)) >= SHORTEST_HEAD:
        yield head
    if _is_weak(whole) and len("".join(whole)) > 1:
        yield whole
    for spelt in (title.replace("-", ""), _LONG_VOWEL.sub(r"\1\2", title) if is_romaji else title):
        if spelt != title:
            yield _words(spelt)


def _titles(anime: Anime, first_season: Anime, told: Sequence[str]) -> Iterator[str]:
    best, *others = (*_latin(anime, first_season), "")
    yield from (best, *told, *others)
    yield from (without_season(title) for title in (first_season.native, anime.native) if title)


def _words(title: str) -> Words:
    """The words of a title as the index has them, without those that not everybody writes."""
    # Whether they write "Journey's" or "Journeys": both begin alike.
    found = [part for word in _WORD.findall(title) for part in _APOSTROPHE.split(word)]
    sure = [word for word in found if word.lower() not in _UNSURE]
    words = sure if len("".join(sure)) >= SHORTEST else found
    while len(words) > 1 and len(" ".join(words)) > LONGEST_TITLE:
        words.pop()
    return tuple(dict.fromkeys(words))


def _uncounted(words: Words) -> Words:
    """A later season's title without the numeral that counts it."""
    return words[:-1] if len(words) > 1 and _NUMERAL.fullmatch(words[-1]) else words


def _covers(words: Words, other: Words) -> bool:
    """Whether whatever has the words of `other` is found by `words`."""
    return bool(words) and {word.lower() for word in words} <= {word.lower() for word in other}


def _is_weak(words: Words) -> bool:
    """Short words begin so many others that a feed would be full of other shows."""
    return all(word.isascii() and len(word) <= WEAK for word in words)


def _either(titles: Sequence[Words]) -> str:
    return " ".join(titles[0]) if len(titles) == 1 else "|".join(map(_group, titles))


def _group(words: Words) -> str:
    return words[0] if len(words) == 1 else f"({' '.join(words)})"


def _is_latin(title: str) -> bool:
    return sum(map(str.isascii, title)) * 2 > len(title)
