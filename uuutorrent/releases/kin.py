"""An anime among its family, as release titles see it: who owns a title, which season and part it is. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from uuutorrent.anime.anime import Anime, Family
from uuutorrent.releases.titles import Shape, shapes
from uuutorrent.releases.words import words

SHORTEST_HEAD = 8
SHORT_SEASON = 8
"""Episodes; where a shorter season is in the chain, sites disagree on how to count seasons."""


@dataclass(frozen=True, slots=True)
class Member:
    """One anime of the family. `order` is its place in the chain of seasons, from 0; None for all others."""

    title: str
    forms: tuple[Shape, ...]
    order: int | None = None
    episodes: int | None = None
    year: int | None = None
    main: frozenset[str] = frozenset()
    """The bases of its own main titles, without synonyms."""

    def has(self, form: Shape) -> bool:
        """Whether one of its titles says exactly this."""
        return any((own.base, own.season, own.part) == (form.base, form.season, form.part) for own in self.forms)

    def has_signed(self, form: Shape) -> bool:
        """Whether one of its titles says this with the same signs."""
        return any(own.base == form.base and own.signs == form.signs for own in self.forms if own.literal)

    def owns(self, base: str) -> bool:
        """Whether one of its titles is this, apart from season and part."""
        return any(own.base == base for own in self.forms)

    def seasons(self, base: str) -> set[int]:
        """The season numbers its titles of this base name."""
        return {own.season for own in self.forms if own.base == base and own.season is not None}

    @property
    def part(self) -> int | None:
        """Which part of its season it is, when a title says so."""
        return next((own.part for own in self.forms if own.part is not None), None)


class Kin:
    """A family prepared for looking titles up in it. The chain runs from the first season to the wanted one."""

    def __init__(self, family: Family) -> None:
        chain = [*reversed(family.prequels), family.anime]
        self.chain = tuple(_member(anime, order) for order, anime in enumerate(chain))
        self.wanted = self.chain[-1]
        in_chain = {anime.media_id for anime in chain}
        self.others = tuple(
            Member(titles[0], _forms(titles))
            for media, titles in family.others.items()
            if media not in in_chain and titles
        )
        self.count = family.anime.episodes
        self.aired = family.anime.aired
        self.offset = self.episodes_from(0) if family.prequels else family.offset or None
        """Episodes of all seasons before; None when there are none or AniList does not know their number."""
        self.heads = self._heads((family.prequels[-1] if family.prequels else family.anime).titles[:3])
        """First season's titles up to their colon, with the whole title they stand for."""
        self._spoken = tuple(filter(None, map(_spoken, all_titles(family))))

    def _heads(self, titles: Iterable[str]) -> dict[str, str]:
        heads = {}
        for title in titles:
            head, colon, _ = title.partition(":")
            base = shapes(head)[0].base
            if colon and len(base) >= SHORTEST_HEAD and not any(member.owns(base) for member in self.members):
                heads[base] = shapes(title)[0].base
        return heads

    @property
    def members(self) -> Iterable[Member]:
        """Everybody, the wanted one first."""
        return (self.wanted, *reversed(self.chain[:-1]), *self.others)

    def episodes_from(self, order: int) -> int | None:
        """Episodes of the chain from one season up to the wanted one; None when a number is not known."""
        counts = [member.episodes for member in self.chain[order:-1]]
        return None if None in counts else sum(count for count in counts if count)

    def seasons_in(self, base: str) -> tuple[frozenset[int], bool]:
        """Which seasons of the series called `base` the wanted one counts as, and whether a title says so."""
        named = self.wanted.seasons(base)
        if named:
            return frozenset(named), True
        first = next((member.order for member in self.chain if member.owns(base)), self.wanted.order) or 0
        # A later season with a name of its own is numbered from its own start, or on from the first season.
        return frozenset({self._season_from(first), self._season_from(0)}), False

    def _season_from(self, first: int) -> int:
        season = 0
        for member in self.chain[first:]:
            named = {form.season for form in member.forms if form.season is not None}
            season = max(named) if named else max(season, 1) if (member.part or 1) > 1 else season + 1
        return season

    def first_part(self) -> int:
        """The place in the chain of the first part of the wanted one's season."""
        order = self.wanted.order or 0
        while order > 0 and (self.chain[order].part or 1) > 1:
            order -= 1
        return order

    @property
    def has_later_part(self) -> bool:
        """Whether the family knows a later part of the wanted one's season, so that its numbers may run on."""
        own = self.wanted.part or 1
        return any(
            (form.part or 1) > own and (form.base, form.season) == (mine.base, mine.season)
            for member in self.others
            for form in member.forms
            for mine in self.wanted.forms
        )

    @property
    def is_plain(self) -> bool:
        """Whether everybody counts the seasons of this chain alike."""
        return all(member.episodes is None or member.episodes >= SHORT_SEASON for member in self.chain[:-1])

    def begins_like(self, title: str) -> bool:
        """Whether a title begins with one of the family's titles and goes on: another show of the same name."""
        spoken = _spoken(title)
        return any(known == spoken[: len(known)] and len(spoken) > len(known) for known in self._spoken)


def all_titles(family: Family) -> tuple[str, ...]:
    """Every title of everybody."""
    own = [title for anime in (family.anime, *family.prequels) for title in anime.titles]
    return tuple(dict.fromkeys([*own, *(title for titles in family.others.values() for title in titles)]))


def _member(anime: Anime, order: int) -> Member:
    main = frozenset(
        shapes(title)[0].base for title in (anime.romaji, anime.english, anime.native, anime.preferred) if title
    )
    return Member(anime.title, _forms(anime.titles), order, anime.episodes, anime.year, main)


def _forms(titles: Iterable[str]) -> tuple[Shape, ...]:
    return tuple(dict.fromkeys(form for title in titles for form in shapes(title) if form.base))


def _spoken(title: str) -> tuple[str, ...]:
    return tuple(word.text for word in words(title))
