"""Which anime of a family a title means, and where the numbers behind it may be counted from. No I/O.

A title is looked up in the whole family and must be equal to one of its titles, so that "X" is never taken for
"X 2nd Season" or a side story, nor the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from uuutorrent.releases.kin import Kin, Member
from uuutorrent.releases.release import ReleaseName
from uuutorrent.releases.titles import Shape, shapes

CERTAIN = 1.0
LIKELY = 0.95
UNSURE = 0.5
LONG_COUNT = 100
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


class Sights:
    """Looks for one anime in titles."""

    def __init__(self, kin: Kin) -> None:
        self._kin = kin

    def see(self, name: ReleaseName) -> Sight | str:
        """The wanted anime in the name's title or, failing that, in its other titles; or why it is not there."""
        if name.season == 0:
            return "season 0 holds specials"
        for place, title in enumerate((name.title, *name.others)):
            seen = self._see_title(title, name)
            if seen is None:
                if place == 0 and self._kin.goes_beyond(title):
                    break
                continue
            if isinstance(seen, str) or place == 0:
                return seen
            sure = len(title.split()) > 2 or name.season is not None
            confidence = min(seen.confidence, LIKELY if sure else UNSURE)
            return replace(seen, why=(f"also called “{title}”", *seen.why), confidence=confidence)
        return f"another show: “{name.title}”" if name.title else "it has no readable title"

    def _see_title(self, title: str, name: ReleaseName) -> Sight | str | None:
        """None when nobody in the family has this title."""
        for form in shapes(title):
            season = name.season if name.season is not None else form.season
            part = name.part if name.part is not None else form.part
            read = replace(form, season=season, part=part, year=form.year or name.year)
            if not any(member.owns(form.base) for member in self._kin.members):
                if form.base in self._kin.own_heads:
                    seen = self._sight(replace(read, base=self._kin.own_heads[form.base]))
                    return seen if isinstance(seen, str) else replace(seen, why=("its title, shortened", *seen.why))
                if form.base in self._kin.heads:
                    return self._shortened(replace(read, base=self._kin.heads[form.base]))
                continue
            if name.season is not None and form.season not in (None, name.season):
                return f"its title and its number name different seasons ({form.season} and {name.season})"
            if self._counts_all(read, name):
                told = f"season {read.season} is how another site cuts the show"
                return replace(self._own_title(replace(read, season=None)), why=(told,), confidence=LIKELY)
            return self._wrong_year(read) or self._among_twins(read, self._sight(read))
        return None

    def _counts_all(self, read: Shape, name: ReleaseName) -> bool:
        """Whether a season is named that AniList knows nothing of, beside a number that no season reaches."""
        alone = [member for member in self._kin.members if member.owns(read.base)] == [self._kin.wanted]
        return alone and (read.season or 1) > 1 and (name.episode or 0) > LONG_COUNT and not self._kin.wanted.has(read)

    def _shortened(self, read: Shape) -> Sight | str:
        """A title cut at its colon is another show's as well; only a season number makes it ours for sure."""
        seen = self._sight(read)
        if isinstance(seen, str):
            return seen
        sure = LIKELY if (read.season or 1) > 1 else UNSURE
        return replace(seen, why=("its title, shortened", *seen.why), confidence=min(seen.confidence, sure))

    def _wrong_year(self, read: Shape) -> str:
        years = [member.year for member in self._kin.chain if member.year is not None]
        if read.year is None or not years or any(abs(year - read.year) <= 1 for year in years):
            return ""
        if self._kin.is_long and read.year > max(years) and not self._kin.has_of_year(read.base, read.year):
            return ""
        return f"that is the one of {read.year}"

    def _among_twins(self, read: Shape, seen: Sight | str) -> Sight | str:
        """Where another show has this name, only the year tells them apart: sites cut that show into seasons, too."""
        if isinstance(seen, str) or read.year is not None or read.base not in self._kin.twins:
            return seen
        return replace(seen, why=(*seen.why, "another show has this name too"), confidence=UNSURE)

    def _sight(self, read: Shape) -> Sight | str:
        wanted, earlier = self._kin.wanted, self._kin.chain[:-1]
        same = next((member for member in earlier if member.has(read)), None)
        if (alone := self._alone(read)) is not None and alone is not same and wanted.has(read):
            if alone is not wanted:
                return f"another of the series: “{alone.title}”"
            return self._season(read, "it is") if read.season or read.part else self._own_title(read)
        if read.season is None and read.part is None:
            if same is not None:
                return self._earlier_title(same)
            if wanted.has(read) and (read.base in wanted.main or not self._other_with(read)):
                return self._own_title(read)
        elif wanted.has(read):
            return self._season(read, "it is")
        elif same is not None:
            return self._earlier_part(same, read)
        if other := self._other_with(read):
            return f"another of the series: “{other.title}”"
        return self._implied(read)

    def _alone(self, read: Shape) -> Member | None:
        """Whose title alone has the same year, or the same signs."""
        dated = [member for member in self._kin.members if member.has_dated(read)]
        signed = dated or [member for member in self._kin.members if member.has_signed(read)]
        return signed[0] if len(signed) == 1 else None

    def _own_title(self, read: Shape) -> Sight:
        return Sight(("its own title",), self._own_starts(), is_marked=read.season is not None or read.part is not None)

    def _other_with(self, read: Shape) -> Member | None:
        return next((member for member in self._kin.others if member.has(read)), None)

    def _implied(self, read: Shape) -> Sight | str:
        """Nobody's title says exactly this: count the seasons of the chain."""
        if not any(member.owns(read.base) for member in self._kin.chain):
            other = next(member for member in self._kin.others if member.owns(read.base))
            return f"another of the series: “{other.title}”"
        seasons, said = self._kin.seasons_in(read.base)
        if read.season is None and read.part is None:
            # Only numbered seasons of this title are known: without a number it is the first one's.
            return self._own_title(read) if 1 in seasons else "it names no season, so it is the first"
        if (read.season or 1) not in seasons:
            return self._as_cours(read) or f"season {read.season or 1}; the one wanted is season {min(seasons)}"
        own_part = self._kin.wanted.part or 1
        if read.part is not None and read.part != own_part:
            return f"part {read.part}; the one wanted is part {own_part}"
        if read.season is None and read.part != own_part:
            return "it names neither season nor part"
        told = () if said else ("by counting the seasons before",)
        seen = self._season(read, "it is")
        sure = said or (self._kin.is_plain and not self._kin.is_contested(read.base, read.season or 1))
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

    def _earlier_title(self, member: Member) -> Sight | str:
        """The title of an earlier season without a number: groups that number on write it so."""
        starts = self._starts_from(member)
        if not starts:
            return "it names no season, and how many episodes came before is not known"
        return Sight((f"the title of “{member.title}”, numbered on",), starts, must_run_on=True)

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
        starts = self._within_season()
        return (OWN, *(replace(start, least=start.before + 1) for start in starts))

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


def _season_words(read: Shape, lead: str) -> str:
    said = [f"season {read.season}"] if read.season is not None else []
    said += [f"part {read.part}"] if read.part is not None else []
    return f"{lead} {' '.join(said)}"
