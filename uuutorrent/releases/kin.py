"""An anime among its family, as release titles see it: who owns a title, which season and part it is. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from uuutorrent.anime.anime import Anime, Family
from uuutorrent.anime.family import SERIAL
from uuutorrent.releases.titles import Shape, shapes, without_season
from uuutorrent.releases.words import key, words

SHORTEST_HEAD = 8
FULL_HEAD = 3
"""Words of a title before its colon that can stand for it."""
SHORTEST_TAIL = 6
"""Letters of an arc's name, season words not counted."""
SHORT_SEASON = 8
"""Episodes; where a shorter season is in the chain, sites disagree on how to count seasons."""
A_YEAR_LONG = 60
"""Episodes; a longer show has posts of other years than its first."""
LEAST_WORDS = 2
"""Words of a title that show, wherever they stand in a longer one, that it is about this show and goes beyond it."""


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
    beginnings: frozenset[str] = frozenset()
    """Its titles up to the end of each word, as bases; none where that was not looked at."""

    def has(self, form: Shape) -> bool:
        """Whether one of its titles says exactly this; a year that only one of the two names tells nothing."""
        return any(
            (own.base, own.season, own.part) == (form.base, form.season, form.part) and _same_year(own.year, form.year)
            for own in self.forms
        )

    def has_signed(self, form: Shape) -> bool:
        """Whether one of its titles says exactly this with the same signs."""
        return any(
            (own.base, own.season, own.part, own.signs) == (form.base, form.season, form.part, form.signs)
            for own in self.forms
            if own.literal
        )

    def has_dated(self, form: Shape) -> bool:
        """Whether one of its titles says exactly this, year and all."""
        return form.year is not None and any(
            (own.base, own.season, own.part, own.year) == (form.base, form.season, form.part, form.year)
            for own in self.forms
        )

    def owns(self, base: str) -> bool:
        """Whether one of its titles is this, apart from season and part."""
        return any(own.base == base for own in self.forms)

    def seasons(self, base: str) -> set[int]:
        """The season numbers its titles of this base name."""
        return {own.season for own in self.forms if own.base == base and own.season is not None}

    def begins(self, base: str) -> bool:
        """Whether one of its titles begins with this."""
        return any(own.base.startswith(base) for own in self.forms)

    def extends(self, base: str) -> bool:
        """Whether one of its titles is this, or this and a name; a numeral or a letter more makes it another."""
        rests = (own.base[len(base) :] for own in self.forms if own.base.startswith(base))
        is_whole = not self.beginnings or base in self.beginnings
        return any(not rest or (len(rest) >= SHORTEST_TAIL and is_whole) for rest in rests)

    @property
    def every_season(self) -> set[int]:
        """The season numbers in any of its titles."""
        return {own.season for own in self.forms if own.season is not None}

    @property
    def part(self) -> int | None:
        """Which part of its season it is, when a title says so."""
        return next((own.part for own in self.forms if own.part is not None), None)


class Kin:
    """A family prepared for looking titles up in it. The chain runs from the first season to the wanted one."""

    def __init__(self, family: Family) -> None:
        chain = [*reversed(family.prequels), family.anime]
        self.chain = tuple(_member(anime, order, chain[0]) for order, anime in enumerate(chain))
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
        self.own_heads = self._heads(family.anime.titles, of_all=True) if family.prequels else {}
        """A later season's titles up to their colon, where nobody else's begins so."""
        self._spoken = frozenset(filter(None, map(_spoken, all_titles(family))))
        self._own_titles = family.anime.titles
        self.format = family.anime.format
        self._is_series = family.anime.format in SERIAL
        self.is_long = family.anime.status == "RELEASING" or (self.count or A_YEAR_LONG + 1) > A_YEAR_LONG
        """It runs for more than a year."""
        self.twins = self._twins()
        """Bases that another show has as well, which only a year tells apart."""

    def _heads(self, titles: Iterable[str], *, of_all: bool = False) -> dict[str, str]:
        heads = {}
        for title in titles:
            head, colon, _ = title.partition(":")
            base = shapes(head)[0].base
            if not colon or len(base) < SHORTEST_HEAD or any(member.owns(base) for member in self.members):
                continue
            rest = (member for member in self.members if member is not self.wanted)
            if not of_all or (len(_spoken(head)) >= FULL_HEAD and not any(one.begins(base) for one in rest)):
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

    def count_before(self, member: Member) -> int:
        """Episodes of the chain before one of its entries, as far as they are known."""
        return sum(one.episodes or 0 for one in self.chain[: member.order or 0])

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

    def has_follower(self, base: str) -> bool:
        """Whether somebody beside the chain is called like this and more, so that numbers may run on into it."""
        return any(member.extends(base) and not member.owns(base) for member in self.others)

    @property
    def is_plain(self) -> bool:
        """Whether everybody counts the seasons of this chain alike: none is short, none is another's second half."""
        lengths = all(member.episodes is None or member.episodes >= SHORT_SEASON for member in self.chain[:-1])
        return lengths and not any(
            self._goes_on_from(*pair) for pair in zip(self.chain[1:], self.chain[2:], strict=False)
        )

    def _goes_on_from(self, before: Member, after: Member) -> bool:
        """Whether a title is the one before and more, but for the name that all have in common."""
        if before.every_season and after.every_season:
            return False
        arcs = [base for base in before.main if not self.chain[0].owns(base)]
        return any(base.startswith(arc) and base != arc for base in after.main for arc in arcs)

    def is_contested(self, base: str, season: int) -> bool:
        """Whether a season number, counted from the very first season, may as well be a later show's of this name."""
        first = next((member.order for member in self.chain if member.owns(base)), self.wanted.order) or 0
        if season == self._season_from(first):
            return False
        return any(member.begins(base) for member in self.others)

    def has_long_before(self, base: str) -> bool:
        """Whether an earlier entry of this name is so long that other sites cut it into seasons."""
        return any(member.owns(base) and (member.episodes or 0) > A_YEAR_LONG for member in self.chain[:-1])

    def is_season_by_place(self, read: Shape) -> bool:
        """Whether this season, counted from the very first, is an earlier entry that has the title for its own."""
        if self.chain[0].owns(read.base) or read.season is None:
            return False
        return any(member.owns(read.base) and member.order == read.season - 1 for member in self.chain[1:-1])

    def has_branch(self, base: str) -> bool:
        """Whether somebody beside the chain counts as a season of this name before ours."""
        ours = {season for member in self.chain for season in member.every_season}
        theirs = {season for member in self.others for season in member.seasons(base)}
        return any(1 < season <= self._season_from(0) for season in theirs - ours)

    def runs_on_from(self, member: Member, base: str) -> bool:
        """Whether an earlier entry's title can stand for ours: the name of the series, or what ours begins with."""
        return self.chain[0].owns(base) or member is self.chain[0] or self.wanted.extends(base)

    def arcs(self) -> Iterable[Member]:
        """Earlier entries with a name of their own with which ours begins."""
        for member in self.chain[1:-1]:
            if any(self.wanted.extends(base) and not self.chain[0].begins(base) for base in member.main):
                yield member

    def is_head_ours(self, head: str) -> bool:
        """Whether nobody else's title begins like ours up to the colon."""
        bases = {own.base for member in self.chain for own in member.forms}
        strangers = (one for one in self.others if not any(any(map(own.base.startswith, bases)) for own in one.forms))
        return self._is_series and not any(one.begins(head) for one in strangers)

    def goes_beyond(self, title: str) -> bool:
        """Whether a title is one of the family's and more: another show of the same name."""
        spoken = _spoken(title)
        beginnings = (spoken[:length] for length in range(1, len(spoken)))
        if any(beginning in self._spoken for beginning in beginnings):
            return True
        return any(
            spoken[first:last] in self._spoken
            for first in range(1, len(spoken))
            for last in range(first + LEAST_WORDS, len(spoken) + 1)
        )

    def is_alone(self, title: str) -> bool:
        """Whether the wanted one has this title, apart from season and part, and nobody else."""
        base = shapes(title)[0].base
        return [member for member in self.members if member.owns(base)] == [self.wanted]

    def is_said(self, aside: str) -> bool:
        """Whether one of the wanted one's own titles has the first of these words."""
        return any(_spoken(aside)[0] in _spoken(title) for title in self._own_titles)

    def _twins(self) -> frozenset[str]:
        theirs = {(own.base, own.year) for member in self.others for own in member.forms if _is_bare(own)}
        ours = {(own.base, own.year) for member in self.chain for own in member.forms if _is_bare(own)}
        twins = {base for base, year in ours if any(base == other and year != of for other, of in theirs)}
        # With a namesake about, no title that we have with a year is ours without it.
        return frozenset(twins | {base for base, year in ours if year is not None} if twins else twins)


def all_titles(family: Family) -> tuple[str, ...]:
    """Every title of everybody."""
    own = [title for anime in (family.anime, *family.prequels) for title in anime.titles]
    return tuple(dict.fromkeys([*own, *(title for titles in family.others.values() for title in titles)]))


def _member(anime: Anime, order: int, first: Anime) -> Member:
    main = frozenset(
        shapes(title)[0].base for title in (anime.romaji, anime.english, anime.native, anime.preferred) if title
    )
    forms = _forms([*anime.titles, *(() if anime is first else _mixed(anime, first))])
    spoken = [_spoken(title) for title in anime.titles]
    beginnings = frozenset(key(said[:length]) for said in spoken for length in range(1, len(said) + 1))
    return Member(anime.title, forms, order, anime.episodes, anime.year, main, beginnings)


def _mixed(anime: Anime, first: Anime) -> Iterator[str]:
    """What a later season's title adds to the first one's, behind every other title of the first one."""
    cuts = (cut for whole in first.titles[:4] for cut in (whole, without_season(whole), whole.partition(":")[0]))
    heads = tuple(dict.fromkeys(cut for cut in cuts if len(cut) > 3 and shapes(cut)[0].year is None))
    for title in anime.titles[:4]:
        before = max((head for head in heads if title.lower().startswith(head.lower())), key=len, default=None)
        tail = title[len(before) :] if before else ""
        if before and not tail[:1].isalnum() and len(shapes(tail)[0].base) >= SHORTEST_TAIL:
            yield from (f"{head} {tail}" for head in heads if head != before)


def _forms(titles: Iterable[str]) -> tuple[Shape, ...]:
    return tuple(dict.fromkeys(form for title in titles for form in shapes(title) if form.base))


def _spoken(title: str) -> tuple[str, ...]:
    return tuple(word.text for word in words(title))


def _is_bare(form: Shape) -> bool:
    return form.season is None and form.part is None


def _same_year(one: int | None, other: int | None) -> bool:
    return one is None or other is None or abs(one - other) <= 1
