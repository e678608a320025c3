"""Which episode of which anime a release's name means, with the reasons in words. No I/O.

`sights` tells which anime it is and how its number may be counted, `numberings` how its group counts; here the number
is read. What a person said about it comes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from uuutorrent.anime.anime import Family
from uuutorrent.releases.airing import Airing
from uuutorrent.releases.kin import Kin, all_titles
from uuutorrent.releases.names import Reader
from uuutorrent.releases.numberings import Numberings, only_start, titles_said
from uuutorrent.releases.release import SURE, Correction, Kind, Release, ReleaseName, Wanted
from uuutorrent.releases.sights import CERTAIN, LIKELY, OWN, UNSURE, Sight, Sights, Start
from uuutorrent.releases.titles import shapes, without_season

CORRECTED = "corrected"
SPECIAL_FORMATS = ("OVA", "SPECIAL", "MOVIE", "MUSIC")
DISCS = ("BD", "DVD")
SHORT_FORMATS = ("ONA", "TV_SHORT")
MOST_SPECIALS = 6
"""Episodes of an ONA that may be called specials; a longer one is a series."""
SPECIAL_KINDS = {
    Kind.SPECIAL: "a special, not an episode of the series",
    Kind.OVA: "an OVA, not an episode of the series",
    Kind.RECAP: "a recap, not an episode of the series",
    Kind.FILM: "a film, not an episode of the series",
}


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


def known_titles(wanted: Wanted) -> tuple[str, ...]:
    """What is cut out of a name before its numbers are read: every title of the family, without its season."""
    return tuple(dict.fromkeys(map(without_season, (*all_titles(wanted.family), *titles_said(wanted)))))


def place_all(wanted: Wanted, posts: Sequence[tuple[Release, ReleaseName]]) -> list[Place]:
    """Where each post belongs, in the order given; what a group's other posts show counts for all of them."""
    placer = _Placer(wanted)
    seen = [placer.see(name) for _, name in posts]
    placer.learn([(release, name, sight) for (release, name), sight in zip(posts, seen, strict=True)])
    return [placer.place(release, name, sight) for (release, name), sight in zip(posts, seen, strict=True)]


class _Placer:
    """Places posts for one question."""

    def __init__(self, wanted: Wanted) -> None:
        family = _with_titles(wanted)
        self._wanted = wanted
        self._kin = Kin(family)
        self._sights = Sights(self._kin, _news(wanted))
        self._format = family.anime.format
        is_short = self._format in SHORT_FORMATS and (self._kin.count or MOST_SPECIALS + 1) <= MOST_SPECIALS
        self._is_special = self._format in SPECIAL_FORMATS or is_short
        self._airing = Airing(family.anime)
        self._numberings = Numberings(wanted, Reader(known_titles(wanted)), self.see)

    def see(self, name: ReleaseName) -> Sight | str:
        """Which anime a name means."""
        if name.kind.is_extra:
            return "an opening, ending or preview, not an episode"
        return self._sights.see(name)

    def learn(self, seen: Sequence[tuple[Release, ReleaseName, Sight | str]]) -> None:
        """Note what the posts show of their groups' ways to count."""
        self._numberings.learn(seen, self._kin.count)

    def place(self, release: Release, name: ReleaseName, sight: Sight | str) -> Place:
        """Where a post belongs. What people said of this very release comes before everything else."""
        if (said := self._numberings.said_of(release.infohash)) is not None:
            return _as_said(said, name)
        correction = self._numberings.corrected(name.group)
        if isinstance(sight, str):
            if correction is None or not self._numberings.is_like_corrected(correction, name):
                return Place(ours=False, why=(sight,))
            sight = Sight(("called like the release that was corrected",), (OWN,))
        if sight.is_corrected and sight.confidence < SURE and self._airing.is_recent(release.posted_at):
            sight = replace(sight, confidence=LIKELY)
        place = self._read(release, name, sight, correction)
        if sight.is_corrected:
            place = replace(place, is_corrected=True, is_clear=False)
        if place.ours and self._airing.was_before(release.posted_at):
            return Place(False, ("it was posted before this began",))
        told = place.first if place.first == place.last else self._wanted.episode
        if self._numberings.is_denied(release.infohash, told):
            return Place(False, (*place.why, "you said that this is not it"), is_corrected=True)
        return place

    def _read(self, release: Release, name: ReleaseName, sight: Sight, correction: Correction | None) -> Place:
        if name.fraction is not None:
            return Place(ours=True, why=(*sight.why, f"{name.fraction:g} is a special, not an episode"))
        if name.kind in SPECIAL_KINDS and not self._is_special:
            return Place(ours=True, why=(*sight.why, SPECIAL_KINDS[name.kind]))
        if name.last_episode is not None:
            return self._batch(name, _counted(sight, correction))
        if name.episode is None or name.kind is Kind.BATCH:
            return self._unnumbered(name, sight)
        if correction is not None and (place := self._by_correction(release, name, sight, correction)):
            return place
        return self._numbered(release, name, sight)

    # One number

    def _by_correction(self, release: Release, name: ReleaseName, sight: Sight, correction: Correction) -> Place | None:
        """None where the correction cannot be about this name, which is then read as any other."""
        assert name.episode is not None
        assert correction.offset is not None
        offset, given = correction.offset, name.episode
        number, usual = given - offset, {start.before for start in sight.starts}
        if not self._fits(number):
            if offset in usual and not sight.must_run_on:
                return None
            return Place(
                False, (*sight.why, f"corrected: {_told(given, offset)}, which is not here"), is_corrected=True
            )
        may_be_earlier = sight.must_run_on and offset not in usual and given <= min(usual)
        if may_be_earlier and not self._is_of_now(release, correction):
            return Place(False, (f"episode {given} without a season is an earlier season's",))
        whose = "this group's " if correction.group else ""
        why = (*sight.why, f"corrected: {whose}{_told(given, offset)}")
        return Place(True, why, number, number, confidence=CERTAIN, is_corrected=True, offset=offset)

    def _is_of_now(self, release: Release, correction: Correction) -> bool:
        """Whether a post under an earlier season's title can be the wanted one's: by its date, or for want of one."""
        if release.posted_at is None:
            return bool(correction.group)
        return self._airing.is_recent(release.posted_at)

    def _numbered(self, release: Release, name: ReleaseName, sight: Sight) -> Place:
        assert name.episode is not None
        if name.episode == 0:
            return Place(True, (*sight.why, "episode 0 is a special"))
        if name.second not in (None, name.episode):
            return self._paired(name, sight)
        custom = self._numberings.custom(name, sight)
        starts = [start for start in sight.starts if custom is None or start.before == custom.offset]
        fits = [start for start in starts if self._fits(name.episode - start.before)]
        if not fits:
            return self._nowhere(name, sight)
        possible = [start for start in sight.starts if self._fits(name.episode - start.before)]
        if custom is not None and (len(possible) > 1 or fits != possible):
            return self._found(name, sight, fits[0], (_custom_words(name.group, fits[0], custom.title),), LIKELY)
        if (doubt := self._doubt(release, name, sight)) is not None:
            sight = replace(sight, why=(*sight.why, doubt), confidence=min(sight.confidence, UNSURE))
        if sight.confidence < SURE and self._airing.fits(name.episode - fits[0].before, release.posted_at):
            told = (*sight.why, "posted when it had just aired")
            sight = replace(sight, why=told, confidence=LIKELY)
        return self._likeliest(release, name, sight, fits)

    def _doubt(self, release: Release, name: ReleaseName, sight: Sight) -> str | None:
        """What makes a number less than certain."""
        assert name.episode is not None
        if re.search(rf"(?<![^\W_])(?:EP?)?0*{name.episode}[a-c](?![^\W_])", name.raw, re.I):
            return "it may be a piece of an episode"
        if name.episode in sight.theirs:
            return "the earlier season may be numbered so itself"
        is_next = sight.must_run_on and not sight.is_marked and name.episode == sight.starts[0].before + 1
        if is_next and name.source in DISCS and not self._numberings.goes_on(name, sight):
            return "on discs, the number after the last may be a bonus"
        if self._kin.count and self._numberings.begins_with_nought(name, sight, self._kin.count):
            return "its group begins with 0 and ends one short of all episodes"
        if self._kin.others and not sight.is_marked and self._numberings.was_posted_long_before(release, name):
            return "its group posted this number long before, perhaps of another season"
        return None

    def _likeliest(self, release: Release, name: ReleaseName, sight: Sight, fits: Sequence[Start]) -> Place:
        """Several ways to count may fit: what has aired, then the date, then what is usual."""
        assert name.episode is not None
        if len(fits) == 1:
            # Beyond the wanted one's last, but perhaps a later part's.
            is_open = sight.is_open and fits[0] is not sight.starts[0]
            return self._found(name, sight, fits[0], (), UNSURE if is_open else CERTAIN)
        aired = [start for start in fits if not self._unaired(name.episode - start.before)] or list(fits)
        if len(aired) == 1:
            return self._found(name, sight, aired[0], ("as any other would not have aired yet",), LIKELY)
        timely = [start for start in aired if self._airing.fits(name.episode - start.before, release.posted_at)]
        if len(timely) == 1:
            return self._found(name, sight, timely[0], ("posted when that had just aired",), LIKELY)
        sure = sight.is_marked or not self._numberings.does_anybody_run_on()
        told = () if sure else (f"it may be episode {name.episode - aired[-1].before} as well",)
        return self._found(name, sight, aired[0], told, LIKELY if sure else UNSURE)

    def _found(
        self, name: ReleaseName, sight: Sight, start: Start, because: tuple[str, ...], confidence: float
    ) -> Place:
        assert name.episode is not None
        number = name.episode - start.before
        told = f"{start.words} {name.episode} = {start.before} + {number}" if start.before else f"episode {number}"
        confidence = min(confidence, sight.confidence)
        is_clear = confidence >= SURE and only_start(name, sight, self._kin.count) is not None
        return Place(
            True,
            (*sight.why, told, *because),
            number,
            number,
            confidence=confidence,
            offset=start.before,
            is_clear=is_clear,
        )

    def _paired(self, name: ReleaseName, sight: Sight) -> Place:
        """Two numbers must be the same episode in two ways to count."""
        assert name.episode is not None
        assert name.second is not None
        second = name.second
        starts = dict.fromkeys((*sight.starts, OWN))
        for start in starts:
            number = name.episode - start.before
            other = next((other for other in starts if second - other.before == number), None)
            if other is not None and self._fits(number):
                told = f"{other.words} {second} = {other.before} + {number}"
                why = (*sight.why, told)
                return Place(True, why, number, number, confidence=sight.confidence, offset=start.before)
        return Place(
            not sight.must_run_on,
            (*sight.why, f"its numbers {name.episode} and {second} do not fit together here"),
        )

    def _nowhere(self, name: ReleaseName, sight: Sight) -> Place:
        if sight.must_run_on:
            told = "of it is another part's" if sight.is_marked else "without a season is an earlier season's"
            return Place(False, (f"episode {name.episode} {told}",))
        return Place(True, (*sight.why, f"episode {name.episode} is beyond this season"))

    def _fits(self, number: int) -> bool:
        return number >= 1 and (self._kin.count is None or number <= self._kin.count)

    def _unaired(self, number: int) -> bool:
        return self._kin.aired is not None and number > self._kin.aired

    # Many or none

    def _batch(self, name: ReleaseName, sight: Sight) -> Place:
        assert name.episode is not None
        assert name.last_episode is not None
        count, told = self._kin.count, f"batch {name.episode:02}-{name.last_episode:02}"
        for start in sight.starts:
            first, last = name.episode - start.before, name.last_episode - start.before
            is_here = last >= 1 and (count is None or first <= count)
            if is_here and not (start.before == 0 and count is not None and last > count * 2):
                within = (max(first, 1), last if count is None else min(last, count))
                # A bare range that ends amid ours may be the earlier season with its bonus, or ours counted anew.
                sure = not sight.must_run_on or last == count
                confidence = sight.confidence if sure else min(sight.confidence, UNSURE)
                why, offset = (*sight.why, told), start.before
                is_said = start.words == CORRECTED
                return Place(
                    True, why, *within, is_batch=True, confidence=confidence, offset=offset, is_corrected=is_said
                )
        return Place(False, (f"{told} of other episodes",), is_batch=True)

    def _unnumbered(self, name: ReleaseName, sight: Sight) -> Place:
        film = self._kin.count == 1 or self._format == "MOVIE"
        if film and name.last_season is None and name.kind is not Kind.BATCH and not sight.must_run_on:
            return Place(True, (*sight.why, "a single film or episode"), 1, 1, confidence=sight.confidence)
        if name.last_season is not None:
            return self._seasons(name, sight)
        if sight.must_run_on:
            return Place(False, ("it names neither season nor episode",), is_batch=True)
        said = name.kind is Kind.BATCH
        told = "batch of the season" if said else "it names no episode, so it is probably the season"
        confidence = min(sight.confidence, LIKELY if said else UNSURE)
        return Place(True, (*sight.why, told), is_batch=True, confidence=confidence)

    def _seasons(self, name: ReleaseName, sight: Sight) -> Place:
        seasons, _ = self._kin.seasons_in(shapes(name.title)[0].base)
        first, last = name.season or 1, name.last_season or 1
        if not any(first <= season <= last for season in seasons):
            return Place(False, (f"seasons {first}-{last}",), is_batch=True)
        why = (*sight.why, f"batch of seasons {first}-{last}")
        return Place(True, why, is_batch=True, confidence=sight.confidence)


def _as_said(said: Correction, name: ReleaseName) -> Place:
    """A person said what the release is; without an episode, only that it is of this anime."""
    if said.episode is None:
        return Place(True, ("you said that this belongs here",), is_batch=True, is_corrected=True)
    offset = None if name.episode is None or name.last_episode is not None else name.episode - said.episode
    why = (f"you said that this is episode {said.episode}",)
    return Place(True, why, said.episode, said.episode, is_corrected=True, offset=offset)


def _counted(sight: Sight, correction: Correction | None) -> Sight:
    """The sight with a person's way to count before all others."""
    if correction is None or correction.offset is None:
        return sight
    return replace(sight, starts=(Start(correction.offset, CORRECTED), *sight.starts))


def _with_titles(wanted: Wanted) -> Family:
    """The family, with the titles that people said belong to the anime."""
    anime = wanted.family.anime
    return replace(wanted.family, anime=replace(anime, synonyms=(*anime.synonyms, *titles_said(wanted))))


def _news(wanted: Wanted) -> tuple[str, ...]:
    """The titles that people added and AniList does not know."""
    known = {_meaning(title) for title in wanted.family.anime.titles}
    return tuple(title for title in titles_said(wanted) if _meaning(title) not in known)


def _meaning(title: str) -> tuple[str, int | None, int | None]:
    form = shapes(title)[0]
    return (form.base, form.season, form.part)


def _told(given: int, offset: int) -> str:
    number = given - offset
    return f"{given} = {offset} + {number}" if offset >= 0 else f"{given} = {number} - {-offset}"


def _custom_words(group: str, start: Start, title: str) -> str:
    return f"{group} {'numbers on' if start.before else 'counts anew'}: it did with “{title}”"
