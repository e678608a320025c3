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
SHORTEST_HEAD = 8
LONGEST_TITLE = 80
MOST_TITLES = 6
MOST_TOLD = 3
"""Of the titles that people say belong to the show."""
LONGEST_QUERY = 300
WEAK = 3
HEAD_WORDS = 3
"""A title this long and longer by two is often cut."""
_WORD = re.compile(r"[^\W_]+(?:['’`´][^\W_]+)*")
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
        return f"{query} ({'|'.join(self._forms())})" if query else ""

    def _loosely(self) -> Iterator[Words]:
        kept: list[Words] = []
        for title in (self._first.romaji, self._first.english):
            words = _head(title)
            if words and not any(_covers(other, words) for other in (*self._titles, *kept)):
                kept.append(words)
        yield from kept

    def _forms(self) -> Iterable[str]:
        kin, number = Kin(self._family), self._episode
        base = shapes(self._family.anime.title)[0].base
        forms = [f"{number:02}", f"{number:03}", f"e{number:02}", f"ep{number:02}"]
        forms += [f"s{season:02}e{number:02}" for season in sorted(kin.seasons_in(base)[0])]
        starts = {kin.offset, kin.episodes_from(kin.first_part())}
        forms += [f"{number + start:02}" for start in sorted(start for start in starts if start)]
        return dict.fromkeys(forms)


def _chosen(anime: Anime, first_season: Anime, more: Sequence[str]) -> Iterator[Words]:
    """Titles without their season, the best known first; what another title finds as well is left out."""
    told = tuple(map(without_season, more[:MOST_TOLD]))
    kept: list[Words] = []
    for title in _titles(anime, first_season, told):
        words = _words(title)
        is_told = title in told and len("".join(words)) > 1
        if not is_told and (len("".join(words)) < SHORTEST or _is_weak(words)):
            continue
        if not any(_covers(other, words) for other in kept):
            kept = [other for other in kept if not _covers(words, other)] + [words]
    if not kept:
        kept = [words for title in anime.titles[:2] if (words := _words(title))]
    length = 0
    for words in kept[:MOST_TITLES]:
        taken = len(_group(words)) + 1
        if length + taken <= LONGEST_QUERY or words is kept[0]:
            length += taken
            yield words


def _head(title: str) -> Words:
    """What is left of a title that is cut, at its colon or after some words; all of one that is weak as a whole."""
    before, colon, _ = title.partition(":")
    whole = _words(without_season(title))
    words = _words(without_season(before)) if colon else whole[:HEAD_WORDS] if len(whole) >= HEAD_WORDS + 2 else ()
    if len("".join(words)) >= SHORTEST_HEAD:
        return words
    return whole if _is_weak(whole) and len("".join(whole)) >= SHORTEST else ()


def _titles(anime: Anime, first_season: Anime, told: Sequence[str]) -> Iterator[str]:
    main = [title for one in dict.fromkeys((first_season, anime)) for title in (one.romaji, one.english) if title]
    yield from map(without_season, main[:1])
    yield from told
    yield from map(without_season, main[1:])
    yield from (without_season(title) for title in anime.synonyms if _is_latin(title))
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
