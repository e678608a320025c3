"""Which anime of a family a title means, and where the numbers behind it may be counted from. No I/O.

A title is looked up in the whole family and must be equal to one of its titles, so that "X" is never taken for
"X 2nd Season" or a side story, nor the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from uuutorrent.releases.asides import asides, is_beside
from uuutorrent.releases.kin import SHORTEST_TAIL, Kin, Member
from uuutorrent.releases.release import ReleaseName
from uuutorrent.releases.titles import Shape, shapes

CERTAIN = 1.0
LIKELY = 0.95
UNSURE = 0.5
_KINDS = {
    "OVA": re.compile(r" \(?(?:OVA|OAD)s?\)?$", re.I),
    "SPECIAL": re.compile(r" \(?Specials?\)?$", re.I),
    "MOVIE": re.compile(r" \(?(?:the )?(?:movie|film)\)?(?= \d{4}$|$)", re.I),
}
MOST_SEASONS = 12
LONG_COUNT = 400
"""A number beyond this counts all episodes of a show, whatever season stands beside it."""


@dataclass(frozen=True, slots=True)
class Start:
    """A way to count: `before` episodes were counted before the wanted anime's first."""

    before: int
    words: str = ""
    least: int = 1
    """The smallest number that such a title can carry when it is counted so."""


OWN = Start(0)


@dataclass(frozen=True, slots=True)
class Sight:
    """How the wanted anime was seen in a title. Of its `starts`, the likeliest comes first."""

    why: tuple[str, ...]
    starts: tuple[Start, ...] = (OWN,)
    confidence: float = CERTAIN
    must_run_on: bool = False
    """The title is an earlier season's: only numbers beyond that season's own are the wanted one's."""
    is_marked: bool = False
    """A season or a part is named."""
    is_open: bool = False
    """Numbers beyond the wanted one's last are a later part's, not a sign of another way to count."""
    is_corrected: bool = False
    """A person said that the title belongs here."""
    theirs: range = range(0)
    """Numbers that may be an earlier entry's own, counted from the very first episode."""


class Sights:
    """Looks for one anime in titles."""

    def __init__(self, kin: Kin, said: Sequence[str] = ()) -> None:
        """`said` are titles that people said belong to the anime; the family has them already."""
        self._kin = kin
        self._said = {(form.base, form.season, form.part): title for title in said for form in shapes(title)[:1]}

    def see(self, name: ReleaseName) -> Sight | str:
        """The wanted anime in the name's title or, failing that, in its other titles; or why it is not there."""
        if name.season == 0:
            return "season 0 holds specials"
        if name.last_season is not None:
            return self._in_one_of(name, range(name.season or 1, name.last_season + 1))
        seen = self._see_title(name.title, name) or self._by_its_kind(name) or self._by_two_titles(name)
        if seen is None:
            return self._also_called(name)
        for aside in asides(name):
            if is_beside(aside, name) and not self._kin.is_said(aside):
                return f"beside the show: “{aside}”"
            whole = f"{name.title} {aside}"
            if self._says_more(name.title, whole):
                seen = self._see_title(whole, name) or seen
        return self._agreed(seen, name)

    def _by_its_kind(self, name: ReleaseName) -> Sight | None:
        """An OVA or a film whose title goes without the word that groups put behind it."""
        kind = _KINDS.get(self._kin.format)
        if kind is None or not (shorter := kind.sub("", name.title)) or shorter == name.title:
            return None
        seen = self._see_title(shorter, name)
        return None if isinstance(seen, str) or seen is None or seen.must_run_on else seen

    def _by_two_titles(self, name: ReleaseName) -> Sight | str | None:
        """Two titles of the wanted one and of nobody else, one behind the other."""
        pieces = name.title.split(" - ")
        for at in range(1, len(pieces)):
            if self._kin.is_alone(" - ".join(pieces[:at])) and self._kin.is_alone(" - ".join(pieces[at:])):
                return self._see_title(" - ".join(pieces[at:]), name)
        return None

    def _in_one_of(self, name: ReleaseName, seasons: range) -> Sight | str:
        """A batch of several seasons is ours if one of them is."""
        each = [self.see(replace(name, season=season, last_season=None)) for season in seasons[:MOST_SEASONS]]
        return next((one for one in each if not isinstance(one, str)), each[0] if each else "it names no seasons")

    def _says_more(self, title: str, whole: str) -> bool:
        """Whether a title with words from brackets behind it is one of the family's titles, too."""
        longer, shorter = shapes(whole)[0], shapes(title)[0]
        if longer.base == shorter.base:
            return (longer.season, longer.part) != (shorter.season, shorter.part)
        if len(longer.base) < len(shorter.base) + SHORTEST_TAIL:
            # "[NEW]" is a word of those who post.
            return False
        return any(member.owns(longer.base) for member in self._kin.members)

    def _also_called(self, name: ReleaseName) -> Sight | str:
        """Its title is nobody's in the family, but another that it gives may be: of a translation, or of a spin-off."""
        if not self._kin.goes_beyond(name.title):
            for title in name.others:
                seen = self._see_title(title, name)
                if isinstance(seen, str):
                    return seen
                if seen is not None:
                    sure = not is_latin(name.title) or name.season is not None or seen.is_marked
                    confidence = min(seen.confidence, LIKELY if sure else UNSURE)
                    return replace(seen, why=(f"also called “{title}”", *seen.why), confidence=confidence)
        return f"another show: “{name.title}”" if name.title else "it has no readable title"

    def _agreed(self, seen: Sight | str, name: ReleaseName) -> Sight | str:
        """All titles that a name gives should mean the same."""
        others = [(title, other) for title in name.others if (other := self._see_title(title, name)) is not None]
        better = next(((title, one) for title, one in others if not isinstance(one, str) and not one.must_run_on), None)
        main = shapes(name.title)[0]
        is_vague = name.season is None and _is_bare(main) and any(one.owns(main.base) for one in self._kin.chain)
        if better is not None and is_vague and (isinstance(seen, str) or seen.must_run_on):
            title, sight = better
            return replace(sight, why=(f"also called “{title}”", *sight.why), confidence=min(sight.confidence, LIKELY))
        contrary = next((one for _, one in others if isinstance(one, str)), None)
        if isinstance(seen, str):
            return seen
        if contrary is not None and not seen.is_marked:
            return contrary
        if contrary is not None or any(self._is_odd(title, name) for title in name.others):
            return replace(seen, why=(*seen.why, "its other title says something else"), confidence=UNSURE)
        return seen

    def _is_odd(self, title: str, name: ReleaseName) -> bool:
        """Whether another title in a name goes beyond ours, or names a season that the name does not."""
        forms = shapes(title)
        if any(member.owns(form.base) for form in forms for member in self._kin.members):
            return False
        seasons = {form.season or form.part for form in forms} - {None, 1, name.season, name.part}
        return bool(seasons) or self._kin.goes_beyond(title)

    def _see_title(self, title: str, name: ReleaseName) -> Sight | str | None:
        """None when nobody in the family has this title."""
        for form in shapes(title):
            season = name.season if name.season is not None else form.season
            part = name.part if name.part is not None else form.part
            year = form.year or (None if self._kin.is_long and _is_behind(name) else name.year)
            read = replace(form, season=season, part=part, year=year)
            if not any(member.owns(form.base) for member in self._kin.members):
                if form.base in self._kin.own_heads:
                    seen = self._sight(replace(read, base=self._kin.own_heads[form.base]))
                    return seen if isinstance(seen, str) else replace(seen, why=("its title, shortened", *seen.why))
                if form.base in self._kin.heads:
                    return self._shortened(replace(read, base=self._kin.heads[form.base]), form.base)
                continue
            if name.season is not None and form.season not in (None, name.season):
                return f"its title and its number name different seasons ({form.season} and {name.season})"
            if self._counts_all(read, name):
                told = f"season {read.season} is how another site cuts the show"
                return replace(self._own_title(replace(read, season=None)), why=(told,), confidence=LIKELY)
            return self._wrong_year(read) or self._doubted(read, self._sight(read), is_coded=_is_coded(name))
        return None

    def _counts_all(self, read: Shape, name: ReleaseName) -> bool:
        """Whether a season is named that AniList knows nothing of, beside a number that no season reaches."""
        alone = [member for member in self._kin.members if member.owns(read.base)] == [self._kin.wanted]
        return alone and (read.season or 1) > 1 and (name.episode or 0) > LONG_COUNT and not self._kin.wanted.has(read)

    def _shortened(self, read: Shape, head: str) -> Sight | str:
        """A title cut at its colon is another show's as well; only a season number makes it ours for sure."""
        seen = self._sight(read)
        if isinstance(seen, str):
            return seen
        sure = LIKELY if (read.season or 1) > 1 and self._kin.is_head_ours(head) else UNSURE
        return replace(seen, why=("its title, shortened", *seen.why), confidence=min(seen.confidence, sure))

    def _wrong_year(self, read: Shape) -> str:
        years = [member.year for member in self._kin.chain if member.year is not None]
        if read.year is None or not years or any(abs(year - read.year) <= 1 for year in years):
            return ""
        return f"that is the one of {read.year}"

    def _doubted(self, read: Shape, seen: Sight | str, *, is_coded: bool) -> Sight | str:
        """Another show of this name, or a long one before this: sites cut those into seasons, too.

        `is_coded`: the season stands in a code such as S02E03, as sites that count in their own way write it.
        """
        if isinstance(seen, str):
            return seen
        if is_coded and self._kin.is_season_by_place(read):
            told = "counted from the first, that season is the one before this"
            return replace(seen, why=(*seen.why, told), confidence=UNSURE)
        if read.year is None and read.base in self._kin.twins:
            return replace(seen, why=(*seen.why, "another show has this name too"), confidence=UNSURE)
        if (read.season or 1) > 1 and self._kin.has_long_before(read.base):
            told = "other sites cut the long show before this into seasons"
            return replace(seen, why=(*seen.why, told), confidence=UNSURE)
        return seen

    def _sight(self, read: Shape) -> Sight | str:
        if (title := self._said_as(read)) is not None:
            return self._as_said(read, title)
        wanted, earlier = self._kin.wanted, self._kin.chain[:-1]
        same = next((member for member in earlier if member.has(read)), None)
        if (alone := self._alone(read)) is not None and alone is not same and wanted.has(read):
            if alone is not wanted:
                return f"another of the series: “{alone.title}”"
            return self._season(read, "it is") if read.season or read.part else self._own_title(read)
        if _is_bare(read):
            if same is not None:
                return self._earlier_title(same, read)
            if wanted.has(read) and (read.base in wanted.main or not self._other_with(read)):
                return self._own_title(read)
        elif wanted.has(read):
            return self._season(read, "it is")
        elif same is not None:
            return self._earlier_part(same, read)
        if other := self._other_with(read):
            return f"another of the series: “{other.title}”"
        return self._implied(read)

    def _said_as(self, read: Shape) -> str | None:
        """The title that a person said is the anime's: a season in it is the only one meant."""
        return self._said.get((read.base, read.season, read.part)) or self._said.get((read.base, None, None))

    def _as_said(self, read: Shape, title: str) -> Sight | str:
        """A person said whose title this is. Where it is another's as well, that alone does not decide."""
        seen: Sight | str
        if _is_bare(read) or self._kin.wanted.has(read):
            is_others = any(member.has(read) for member in self._kin.members if member is not self._kin.wanted)
            seen = replace(self._own_title(read), confidence=UNSURE if is_others else CERTAIN)
        else:
            seen = self._implied(read)
        if isinstance(seen, str):
            return seen
        return replace(seen, why=(f"you said that “{title}” is this show",), is_corrected=True)

    def _alone(self, read: Shape) -> Member | None:
        """Whose title alone has the same year, or the same signs."""
        dated = [member for member in self._kin.members if member.has_dated(read)]
        signed = dated or [member for member in self._kin.members if member.has_signed(read)]
        return signed[0] if len(signed) == 1 else None

    def _own_title(self, read: Shape) -> Sight:
        is_open = read.part is None and (self._kin.has_later_part or self._kin.has_follower(read.base))
        return Sight(("its own title",), self._own_starts(), is_marked=not _is_bare(read), is_open=is_open)

    def _other_with(self, read: Shape) -> Member | None:
        return next((member for member in self._kin.others if member.has(read)), None)

    def _implied(self, read: Shape) -> Sight | str:
        """Nobody's title says exactly this: count the seasons of the chain."""
        if not any(member.owns(read.base) for member in self._kin.chain):
            other = next(member for member in self._kin.others if member.owns(read.base))
            return f"another of the series: “{other.title}”"
        owner = next(member for member in self._kin.chain if member.owns(read.base))
        if not self._kin.runs_on_from(owner, read.base):
            return f"another of the series: “{owner.title}”"
        if read.season == 1 and owner is self._kin.wanted and owner.has(replace(read, season=None)):
            # The numeral is the title's, as in "Psycho-Pass 3 S01E01".
            return self._own_title(read)
        seasons, said = self._kin.seasons_in(read.base)
        if _is_bare(read):
            # Only numbered seasons of this title are known: without a number it is the first one's.
            return self._own_title(read) if 1 in seasons else "it names no season, so it is the first"
        if (read.season or 1) not in seasons:
            return self._as_cours(read) or f"season {read.season or 1}; the one wanted is season {min(seasons)}"
        own_part = self._kin.wanted.part or 1
        if read.part is not None and read.part != own_part:
            return f"part {read.part}; the one wanted is part {own_part}"
        if read.season is None and read.part != own_part:
            return "it names neither season nor part"
        said = said or (owner is self._kin.wanted and read.season in owner.every_season)
        told = () if said else ("by counting the seasons before",)
        seen = self._season(read, "it is")
        odd = self._kin.is_contested(read.base, read.season or 1) or self._kin.has_branch(read.base)
        sure = said or (self._kin.is_plain and not odd)
        return replace(seen, why=(*seen.why, *told), confidence=CERTAIN if sure else UNSURE)

    def _as_cours(self, read: Shape) -> Sight | None:
        """Some count every part as a season of its own."""
        if (
            read.part is not None
            or read.season != (self._kin.wanted.order or 0) + 1
            or (self._kin.wanted.part or 1) < 2
        ):
            return None
        why = (_season_words(read, "it is"), "if every part is counted as a season")
        return Sight(why, self._own_starts(), UNSURE, is_marked=True)

    def _earlier_title(self, member: Member, read: Shape) -> Sight | str:
        """The title of an earlier season without a number: groups that number on write it so."""
        if not self._kin.runs_on_from(member, read.base):
            return f"another of the series: “{member.title}”"
        starts = self._starts_from(member)
        if not starts:
            return "it names no season, and how many episodes came before is not known"
        before = self._kin.count_before(member)
        is_ours = self._kin.wanted.extends(read.base)
        theirs = range(0) if is_ours or not before else range(before + 1, before + (member.episodes or 0) + 1)
        why = (f"the title of “{member.title}”, numbered on",)
        confidence = UNSURE if self._kin.has_branch(read.base) else CERTAIN
        return Sight(why, starts, confidence, must_run_on=True, theirs=theirs)

    def _earlier_part(self, member: Member, read: Shape) -> Sight | str:
        """The season is right, the part is an earlier one's: its numbers may run on."""
        order = self._kin.first_part()
        if member.order is None or member.order < order or read.part is not None:
            return f"another of the series: “{member.title}”"
        starts = self._within_season()
        if not starts:
            return "it names no part, and how many episodes came before is not known"
        return Sight((_season_words(read, "numbered on within"),), starts, must_run_on=True, is_marked=True)

    # Where numbers are counted from

    def _season(self, read: Shape, lead: str) -> Sight:
        """Within a season the first part counts from 1; a later part, if it is not named, from where that ended."""
        why = (_season_words(read, lead),)
        first = self._kin.chain[self._kin.first_part()]
        # Its own title counts it as a season, though another calls it a part.
        is_own = (read.season or 1) > 1 and self._kin.wanted.has(read) and read.season not in first.every_season
        if read.part is None and not is_own and self._starts_from(first):
            return Sight(why, self._within_season(), is_marked=True, is_open=self._kin.has_later_part)
        return Sight(why, self._own_starts(), is_marked=True, is_open=read.part is None and self._kin.has_later_part)

    def _own_starts(self) -> tuple[Start, ...]:
        """For a title that means the wanted one alone: no number is smaller than its first."""
        arcs = [start for arc in self._kin.arcs() for start in self._starts_from(arc)]
        starts = dict.fromkeys(replace(start, least=start.before + 1) for start in (*self._within_season(), *arcs))
        return (OWN, *starts)

    def _within_season(self) -> tuple[Start, ...]:
        """For a title that means the whole season: counted from its first part, or from the very first episode."""
        before = self._starts_from(self._kin.chain[self._kin.first_part()])
        absolute = self._starts_from(self._kin.chain[0])
        inside = before[0].before if before else 0
        return (
            *before,
            *(replace(start, least=start.before - inside + 1) for start in absolute if start not in before),
        )

    def _starts_from(self, member: Member) -> tuple[Start, ...]:
        before = self._kin.episodes_from(member.order) if member.order is not None else None
        if member.order == 0 and self._kin.offset is not None:
            before = self._kin.offset
        if not before:
            return ()
        return (Start(before, "absolute" if member.order == 0 else "numbered on"),)


def is_latin(title: str) -> bool:
    """Whether a title is written in Latin letters, for the most part."""
    return sum(map(str.isascii, title)) * 2 > len(title)


def _is_behind(name: ReleaseName) -> bool:
    """Whether the year stands behind the number: there it may be the episode's."""
    at = name.raw.find(str(name.year))
    number = re.search(rf"(?<!\d)0*{name.episode}(?!\d)", name.raw)
    return number is not None and number.start() < at


def _is_coded(name: ReleaseName) -> bool:
    return re.search(rf"(?i)(?<![^\W_])S0*{name.season}[ ._]?E\d", name.raw) is not None


def _is_bare(read: Shape) -> bool:
    return read.season is None and read.part is None


def _season_words(read: Shape, lead: str) -> str:
    said = [f"season {read.season}"] if read.season is not None else []
    said += [f"part {read.part}"] if read.part is not None else []
    return f"{lead} {' '.join(said)}"
