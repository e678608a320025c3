"""Which episode of which anime a release's name means, with the reasons in words. No I/O.

A title is looked up in the whole family and must be equal to one of its titles, so that "X" is never taken for
"X 2nd Season" or a side story, nor the other way round. Then the number is read in the numbering that the title
implies: within the entry, within its season, or counted on from an earlier season.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from uuutorrent.anime.anime import Family
from uuutorrent.releases.kin import Kin, Member, all_titles
from uuutorrent.releases.release import Kind, Release, ReleaseName, Wanted
from uuutorrent.releases.titles import Shape, shapes, without_season

FILM_FORMATS = ("MOVIE", "MUSIC")
SPECIAL_FORMATS = ("OVA", "SPECIAL", "MOVIE", "ONA", "TV_SHORT", "MUSIC")
CERTAIN = 1.0
LIKELY = 0.95
UNSURE = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """What a name means within a family."""

    ours: bool
    """It is of the wanted anime."""
    why: tuple[str, ...]
    first: int | None = None
    last: int | None = None
    """The episodes of the wanted anime it holds; None where it names none. A single one has first == last."""
    is_batch: bool = False
    confidence: float = CERTAIN
    is_corrected: bool = False
    """A correction decided it."""
    offset: int | None = None
    """The numbering it was read in: the number given minus the episode's; None without a number."""
    is_clear: bool = False
    """It can be read in one way only, so that its group's habit may be learnt from it."""


@dataclass(frozen=True, slots=True)
class _Sight:
    """How the wanted anime was seen in a title, and where the numbers may be counted from.

    `starts` are numbers of episodes that were counted before the wanted one's first; the first that fits is taken.
    """

    why: tuple[str, ...]
    starts: tuple[tuple[int, str], ...] = ((0, ""),)
    confidence: float = CERTAIN
    must_run_on: bool = False
    """The title is an earlier season's: only numbers beyond that season's own are the wanted one's."""


def known_titles(wanted: Wanted) -> tuple[str, ...]:
    """What is cut out of a name before its numbers are read: every title of the family, without its season."""
    return tuple(dict.fromkeys(map(without_season, all_titles(wanted.family))))


def place_all(wanted: Wanted, posts: Sequence[tuple[Release, ReleaseName]]) -> list[Place]:
    """Where each post belongs, in the order given; what a group's other posts show counts for all of them."""
    placer = Placer(wanted.family)
    running_on = {name.group for _, name in posts if name.group and placer.runs_on(name)}
    return [placer.place(name, group_runs_on=name.group in running_on) for _, name in posts]


class Placer:
    """Places names within one family."""

    def __init__(self, family: Family) -> None:
        self._kin = Kin(family)
        self._format = family.anime.format

    def place(self, name: ReleaseName, *, group_runs_on: bool = False) -> Place:
        """Where a name belongs. `group_runs_on` tells that its group numbers seasons on."""
        if name.kind.is_extra:
            return Place(ours=False, why=("an opening, ending or preview, not an episode",))
        seen = self._see(name)
        if isinstance(seen, str):
            return Place(ours=False, why=(seen,))
        if name.fraction is not None:
            return Place(ours=True, why=(*seen.why, f"{name.fraction:g} is a special, not an episode"))
        if name.kind in (Kind.SPECIAL, Kind.OVA, Kind.RECAP) and self._format not in SPECIAL_FORMATS:
            return Place(ours=True, why=(*seen.why, "a special, not an episode of the series"))
        if name.last_episode is not None:
            return self._batch(name, seen)
        if name.episode is None or name.kind is Kind.BATCH:
            return self._unnumbered(name, seen)
        return self._numbered(name, seen, group_runs_on=group_runs_on)

    def runs_on(self, name: ReleaseName) -> bool:
        """Whether this name shows that its group counts from the first season: read otherwise, it would not exist."""
        if name.episode is None or name.last_episode is not None or name.kind is Kind.BATCH:
            return False
        seen = self._see(name)
        if isinstance(seen, str) or len(seen.starts) < 2:
            return False
        *nearer, furthest = sorted({start for start, _ in seen.starts})
        return self._fits(name.episode - furthest) and not any(self._fits(name.episode - start) for start in nearer)

    # Which anime

    def _see(self, name: ReleaseName) -> _Sight | str:
        """The wanted anime in the name's title or, failing that, in its other titles; or why it is not there."""
        if name.season == 0:
            return "season 0 holds specials"
        for place, title in enumerate((name.title, *name.others)):
            seen = self._see_title(title, name)
            if seen is None:
                if place == 0 and self._kin.begins_like(title):
                    break
                continue
            if isinstance(seen, str) or place == 0:
                return seen
            sure = len(title.split()) > 2 or name.season is not None
            return _Sight(
                (f"also called “{title}”", *seen.why), seen.starts, LIKELY if sure else UNSURE, seen.must_run_on
            )
        return f"another show: “{name.title}”" if name.title else "it has no readable title"

    def _see_title(self, title: str, name: ReleaseName) -> _Sight | str | None:
        """None when nobody in the family has this title."""
        for form in shapes(title):
            season = name.season if name.season is not None else form.season
            part = name.part if name.part is not None else form.part
            read = replace(form, season=season, part=part, year=form.year or name.year)
            if not any(member.owns(form.base) for member in self._kin.members):
                if form.base in self._kin.heads:
                    return self._shortened(replace(read, base=self._kin.heads[form.base]))
                continue
            if name.season is not None and form.season not in (None, name.season):
                return f"its title and its number name different seasons ({form.season} and {name.season})"
            return self._wrong_year(read) or self._sight(read)
        return None

    def _shortened(self, read: Shape) -> _Sight | str:
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
        return f"that is the one of {read.year}"

    def _sight(self, read: Shape) -> _Sight | str:
        wanted, earlier = self._kin.wanted, self._kin.chain[:-1]
        same = next((member for member in earlier if member.has(read)), None)
        if read.season is None and read.part is None:
            signed = [member for member in self._kin.members if member.has_signed(read)]
            if len(signed) == 1 and signed[0] is not same and wanted.has(read):
                return self._own_title(read) if signed[0] is wanted else f"another of the series: “{signed[0].title}”"
            if same is not None:
                return self._earlier_title(same)
            if wanted.has(read) and (read.base in wanted.main or not self._other_with(read)):
                return self._own_title(read)
        elif wanted.has(read):
            return _Sight((_season_words(read, "it is"),), self._season_starts(read))
        elif same is not None:
            return self._earlier_part(same, read)
        if other := self._other_with(read):
            return f"another of the series: “{other.title}”"
        return self._implied(read)

    def _own_title(self, read: Shape) -> _Sight:
        """Where a remake has the same name, only the year tells them apart."""
        years = {form.year for member in self._kin.members for form in member.forms if form.base == read.base}
        if read.year is None and len(years) > 1 and self._other_with(read):
            return _Sight(("its own title, which another show has too",), self._own_starts(), UNSURE)
        return _Sight(("its own title",), self._own_starts())

    def _other_with(self, read: Shape) -> Member | None:
        return next((member for member in self._kin.others if member.has(read)), None)

    def _implied(self, read: Shape) -> _Sight | str:
        """Nobody's title says exactly this: count the seasons of the chain."""
        if not any(member.owns(read.base) for member in self._kin.chain):
            other = next(member for member in self._kin.others if member.owns(read.base))
            return f"another of the series: “{other.title}”"
        seasons, said = self._kin.seasons_in(read.base)
        if read.season is None and read.part is None:
            # Only numbered seasons of this title are known: without a number it is the first one's.
            first = _Sight(("its own title",), self._own_starts())
            return first if 1 in seasons else "it names no season, so it is the first"
        if (read.season or 1) not in seasons:
            return f"season {read.season or 1}; the one wanted is season {min(seasons)}"
        own_part = self._kin.wanted.part or 1
        if read.part is not None and read.part != own_part:
            return f"part {read.part}; the one wanted is part {own_part}"
        if read.season is None and read.part != own_part:
            return "it names neither season nor part"
        sure = said or self._kin.is_plain
        told = () if said else ("by counting the seasons before",)
        return _Sight((_season_words(read, "it is"), *told), self._season_starts(read), CERTAIN if sure else UNSURE)

    def _earlier_title(self, member: Member) -> _Sight | str:
        """The title of an earlier season without a number: groups that number on write it so."""
        starts = self._starts_from(member)
        if not starts:
            return "it names no season, and how many episodes came before is not known"
        return _Sight((f"the title of “{member.title}”, numbered on",), starts, must_run_on=True)

    def _earlier_part(self, member: Member, read: Shape) -> _Sight | str:
        """The season is right, the part is an earlier one's: its numbers may run on."""
        order = self._kin.first_part()
        if member.order is None or member.order < order or read.part is not None:
            return f"another of the series: “{member.title}”"
        starts = (*self._starts_from(self._kin.chain[order]), *self._starts_from(self._kin.chain[0]))
        if not starts:
            return "it names no part, and how many episodes came before is not known"
        return _Sight((_season_words(read, "numbered on within"),), starts, must_run_on=True)

    # Which number

    def _own_starts(self) -> tuple[tuple[int, str], ...]:
        return (
            (0, ""),
            *self._starts_from(self._kin.chain[self._kin.first_part()]),
            *self._starts_from(self._kin.chain[0]),
        )

    def _season_starts(self, read: Shape) -> tuple[tuple[int, str], ...]:
        """Within a season the first part counts from 1; a later part, if it is not named, from where that ended."""
        before = self._starts_from(self._kin.chain[self._kin.first_part()])
        if before and read.part is None:
            return (*before, *self._starts_from(self._kin.chain[0]))
        if self._kin.has_later_part and read.part is None:
            return ((0, ""),)
        return self._own_starts()

    def _starts_from(self, member: Member) -> tuple[tuple[int, str], ...]:
        before = self._kin.episodes_from(member.order) if member.order is not None else None
        if member.order == 0 and self._kin.offset is not None:
            before = self._kin.offset
        if not before:
            return ()
        return ((before, "absolute" if member.order == 0 else "numbered on"),)

    def _numbered(self, name: ReleaseName, seen: _Sight, *, group_runs_on: bool) -> Place:
        assert name.episode is not None
        given = name.second if seen.must_run_on and name.second is not None else name.episode
        if name.episode == 0:
            return Place(True, (*seen.why, "episode 0 is a special"))
        if name.second is not None and not self._agree(name.episode, name.second, seen):
            return Place(True, (*seen.why, f"its numbers {name.episode} and {name.second} do not fit together here"))
        for start, words in self._readings(given, seen, group_runs_on=group_runs_on):
            number = given - start
            told = f"{words} {given} = {start} + {number}" if start else f"episode {number}"
            return Place(True, (*seen.why, told), number, number, confidence=seen.confidence)
        if seen.must_run_on:
            told = "without a season is an earlier season's" if name.season is None else "of it is another part's"
            return Place(False, (f"episode {given} {told}",))
        return Place(True, (*seen.why, f"episode {given} is beyond this season"))

    def _agree(self, relative: int, absolute: int, seen: _Sight) -> bool:
        """Whether a name's two numbers are one episode in two numberings."""
        return any(absolute - start == relative for start, _ in seen.starts)

    def _readings(self, given: int, seen: _Sight, *, group_runs_on: bool) -> Iterator[tuple[int, str]]:
        """How a number can be read, the likeliest first."""
        starts = [max(seen.starts)] if group_runs_on and seen.starts else seen.starts
        fits = [(start, words) for start, words in starts if self._fits(given - start)]
        # What has not aired yet cannot be it, while another reading has.
        yield from [(start, words) for start, words in fits if not self._unaired(given - start)] or fits

    def _fits(self, number: int) -> bool:
        return number >= 1 and (self._kin.count is None or number <= self._kin.count)

    def _unaired(self, number: int) -> bool:
        return self._kin.aired is not None and number > self._kin.aired

    def _batch(self, name: ReleaseName, seen: _Sight) -> Place:
        assert name.episode is not None
        assert name.last_episode is not None
        count, told = self._kin.count, f"batch {name.episode:02}-{name.last_episode:02}"
        for start, _ in seen.starts:
            first, last = name.episode - start, name.last_episode - start
            is_here = last >= 1 and (count is None or first <= count)
            if is_here and not (start == 0 and count is not None and last > count * 2):
                within = (max(first, 1), last if count is None else min(last, count))
                return Place(True, (*seen.why, told), *within, is_batch=True)
        return Place(False, (f"{told} of other episodes",), is_batch=True)

    def _unnumbered(self, name: ReleaseName, seen: _Sight) -> Place:
        film = self._kin.count == 1 or self._format == "MOVIE"
        if film and name.last_season is None and name.kind is not Kind.BATCH and not seen.must_run_on:
            return Place(True, (*seen.why, "a single film or episode"), 1, 1, confidence=seen.confidence)
        if name.last_season is not None:
            seasons, _ = self._kin.seasons_in(shapes(name.title)[0].base)
            if not any((name.season or 1) <= season <= name.last_season for season in seasons):
                return Place(False, (f"seasons {name.season}-{name.last_season}",), is_batch=True)
            return Place(True, (*seen.why, f"batch of seasons {name.season}-{name.last_season}"), is_batch=True)
        if seen.must_run_on:
            return Place(False, ("it names neither season nor episode",), is_batch=True)
        told = "batch of the season" if name.kind is Kind.BATCH else "it names no episode, so it is probably the season"
        return Place(True, (*seen.why, told), is_batch=True)


def _season_words(read: Shape, lead: str) -> str:
    said = [f"season {read.season}"] if read.season is not None else []
    said += [f"part {read.part}"] if read.part is not None else []
    return f"{lead} {' '.join(said)}"
