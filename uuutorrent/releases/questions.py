"""What to ask the index about an episode, in its own grammar. No I/O.

Words are ANDed, "a"|"b" is either, -word excludes, parentheses group, but not quoted strings. A phrase that has both
words of more than 15 characters and shorter ones finds nothing; a phrase also finds whatever continues its last word.
Source: nyaadevs/nyaa (search.py, es_mapping.yml), Lucene's SimpleQueryParser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from uuutorrent.anime.anime import Anime, Family
from uuutorrent.releases.kin import Kin
from uuutorrent.releases.titles import shapes, without_season

LONGEST_WORD = 15
SHORTEST_PHRASE = 4
MOST_PHRASES = 6
LONGEST_QUERY = 300
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


class Questions:
    """The questions about one episode, the widest first: nobody else's answer differs, so they can be shared."""

    def __init__(self, family: Family, episode: int) -> None:
        self._family = family
        self._episode = episode
        self._phrases = tuple(_phrases(family))

    @property
    def titles(self) -> str:
        """Every post of the show, whatever its number: one answer serves all its episodes."""
        return "|".join(_quoted(phrase) for phrase in self._phrases)

    @property
    def numbered(self) -> str:
        """Only posts with the episode's number in one of its forms; for shows with more posts than an answer holds."""
        return f"{self.titles} ({'|'.join(self._forms())})"

    @property
    def plain(self) -> str:
        """The words of the first title in any order, without quotes: finds what a phrase misses."""
        return self._phrases[0] if self._phrases else ""

    @property
    def plain_numbered(self) -> str:
        """`plain`, with the number."""
        return f"{self.plain} ({'|'.join(self._forms())})"

    def _forms(self) -> Iterable[str]:
        kin, number = Kin(self._family), self._episode
        base = shapes(self._family.anime.title)[0].base
        forms = [f"{number:02}", f"{number:03}", f"e{number:02}", f"ep{number:02}"]
        forms += [f"s{season:02}e{number:02}" for season in sorted(kin.seasons_in(base)[0])]
        starts = {kin.offset, kin.episodes_from(kin.first_part())}
        forms += [f"{number + start:02}" for start in sorted(start for start in starts if start)]
        return dict.fromkeys(forms)


def _phrases(family: Family) -> Iterator[str]:
    """Titles without their season, the best known first; one that begins with another says nothing more."""
    kept: list[str] = []
    first_season = family.prequels[-1] if family.prequels else family.anime
    for title in _titles(family.anime, first_season):
        phrase = _phrase(title)
        if len(phrase) < SHORTEST_PHRASE or any(_begins_with(phrase, other) for other in kept):
            continue
        kept = [other for other in kept if not _begins_with(other, phrase)] + [phrase]
    if not kept:
        kept = [_phrase(title) or title.replace('"', " ") for title in family.anime.titles[:2]]
    length = 0
    for phrase in kept[:MOST_PHRASES]:
        length += len(phrase) + 3
        if length <= LONGEST_QUERY or phrase is kept[0]:
            yield phrase


def _titles(anime: Anime, first_season: Anime) -> Iterator[str]:
    for one in dict.fromkeys((first_season, anime)):
        for title in filter(None, (one.romaji, one.english)):
            yield without_season(title)
            if "×" in title:
                # Read aloud as an x, and written with or without one.
                yield without_season(title).replace("×", " ")
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
    return " ".join(found)


def _begins_with(phrase: str, other: str) -> bool:
    return f"{phrase.lower()} ".startswith(f"{other.lower()} ")


def _quoted(phrase: str) -> str:
    return f'"{phrase}"'


def _is_latin(title: str) -> bool:
    return sum(map(str.isascii, title)) * 2 > len(title)
