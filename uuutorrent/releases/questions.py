"""What to ask the index about an episode, in its own grammar. No I/O.

Words are ANDed, "a"|"b" is either, -word excludes, parentheses group, but not quoted strings. A phrase that has both
words of more than 15 characters and shorter ones finds nothing; a phrase also finds whatever continues its last word.
Source: nyaadevs/nyaa (search.py, es_mapping.yml), Lucene's SimpleQueryParser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from uuutorrent.anime.anime import Anime, Family
from uuutorrent.releases.kin import Kin
from uuutorrent.releases.titles import shapes, without_season

LONGEST_WORD = 15
SHORTEST_PHRASE = 4
SHORTEST_HEAD = 8
LONGEST_PHRASE = 80
MOST_PHRASES = 6
MOST_TOLD = 3
"""Of the titles that people say belong to the show."""
LONGEST_QUERY = 300
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


class Questions:
    """The questions about one episode: nobody else's answer differs, so they can be shared.

    `more` are titles that people say belong to the show; who holds the same corrections asks the same. Each question
    is empty when there is no title to ask for.
    """

    def __init__(self, family: Family, episode: int, more: Sequence[str] = ()) -> None:
        self._family = family
        self._episode = episode
        self._first = family.prequels[-1] if family.prequels else family.anime
        self._phrases = tuple(_phrases(family.anime, self._first, more))

    @property
    def titles(self) -> str:
        """Every post of the show, whatever its number: one answer serves all its episodes."""
        return "|".join(_quoted(phrase) for phrase in self._phrases)

    @property
    def numbered(self) -> str:
        """Only posts with the episode's number in one of its forms; for shows with more posts than an answer holds."""
        return self._with_number(self.titles)

    @property
    def loose(self) -> str:
        """What the phrases miss: titles cut at their colon, and the words of the first title in any order."""
        words = next((phrase for title in self._first.titles if " " in (phrase := _phrase(without_season(title)))), "")
        heads = [_quoted(head) for head in self._heads()]
        return "|".join([*heads, f"({words})"] if heads and words else [*heads, words])

    @property
    def loose_numbered(self) -> str:
        """`loose`, with the number."""
        return self._with_number(self.loose)

    def _with_number(self, query: str) -> str:
        return f"{query} ({'|'.join(self._forms())})" if query else ""

    def _heads(self) -> Iterator[str]:
        """Many posts name a show only by what stands before the colon; alone it can be many other shows."""
        titles = (self._first.romaji, self._first.english)
        heads = (_phrase(title.partition(":")[0]) for title in titles if ":" in title)
        for head in dict.fromkeys(heads):
            if len(head) >= SHORTEST_HEAD and not any(_begins_with(head, phrase) for phrase in self._phrases):
                yield head

    def _forms(self) -> Iterable[str]:
        kin, number = Kin(self._family), self._episode
        base = shapes(self._family.anime.title)[0].base
        forms = [f"{number:02}", f"{number:03}", f"e{number:02}", f"ep{number:02}"]
        forms += [f"s{season:02}e{number:02}" for season in sorted(kin.seasons_in(base)[0])]
        starts = {kin.offset, kin.episodes_from(kin.first_part())}
        forms += [f"{number + start:02}" for start in sorted(start for start in starts if start)]
        return dict.fromkeys(forms)


def _phrases(anime: Anime, first_season: Anime, more: Sequence[str]) -> Iterator[str]:
    """Titles without their season, the best known first; one that begins with another says nothing more."""
    kept: list[str] = []
    told = tuple(map(without_season, more[:MOST_TOLD]))
    for title in _titles(anime, first_season, told):
        phrase = _phrase(title)
        shortest = 1 if title in told else SHORTEST_PHRASE
        if len(phrase) < shortest or any(_begins_with(phrase, other) for other in kept):
            continue
        kept = [other for other in kept if not _begins_with(other, phrase)] + [phrase]
    if not kept:
        kept = [phrase for title in anime.titles[:2] if (phrase := _phrase(title) or title.replace('"', " ").strip())]
    length = 0
    for phrase in kept[:MOST_PHRASES]:
        if length + len(phrase) <= LONGEST_QUERY or phrase is kept[0]:
            length += len(phrase) + 3
            yield phrase


def _titles(anime: Anime, first_season: Anime, told: Sequence[str]) -> Iterator[str]:
    main = [title for one in dict.fromkeys((first_season, anime)) for title in (one.romaji, one.english) if title]
    for place, title in enumerate(main):
        if place == 1:
            yield from told
        yield without_season(title)
        if "×" in title:
            # Read aloud as an x, and written with or without one.
            yield without_season(title).replace("×", " ")
    yield from told
    yield from (without_season(title) for title in anime.synonyms if _is_latin(title))
    yield from (without_season(title) for title in (first_season.native, anime.native) if title)


def _phrase(title: str) -> str:
    """The words of a title as the index has them, without the signs that mean something in a query."""
    spelt = title.replace("×", " x ").replace("’", "'").replace("½", " ")
    found: list[str] = _WORD.findall(spelt)
    for at, word in enumerate(found):
        if len(word) > LONGEST_WORD and len(found) > 1:
            return word if at == 0 else " ".join(found[:at])
        if "'" in word and at > 0:
            # Some write "Journey's", some "Journeys": both begin alike, and the last word may go on.
            return " ".join([*found[:at], word.partition("'")[0]])
    while len(found) > 1 and len(" ".join(found)) > LONGEST_PHRASE:
        found.pop()
    return " ".join(found)


def _begins_with(phrase: str, other: str) -> bool:
    return f"{phrase.lower()} ".startswith(f"{other.lower()} ")


def _quoted(phrase: str) -> str:
    return f'"{phrase}"'


def _is_latin(title: str) -> bool:
    return sum(map(str.isascii, title)) * 2 > len(title)
