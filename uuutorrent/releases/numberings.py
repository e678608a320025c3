"""How groups count the episodes of one anime: shown by their posts, remembered, or said by people. No I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from uuutorrent.releases.names import Reader
from uuutorrent.releases.release import Correction, Form, Release, ReleaseName, Wanted
from uuutorrent.releases.sights import Sight, Start
from uuutorrent.releases.titles import shapes
from uuutorrent.releases.words import key, words

Style = tuple[bool, bool]
"""Whether a title names a season or part, and whether it is an earlier entry's: groups count differently in each."""
LONG_AFTER = timedelta(days=120)
"""Nobody takes so long to post an episode again in the same form: it is another season's."""


@dataclass(frozen=True, slots=True)
class Custom:
    """One way in which a group counts, and the post that showed it."""

    offset: int
    title: str
    style: Style | None
    """How the post was titled; None where that is not known."""


class Numberings:
    """What is known of how each group counts."""

    def __init__(self, wanted: Wanted, reader: Reader, see: Callable[[ReleaseName], Sight | str]) -> None:
        self._reader = reader
        self._see = see
        # One's own stand before everybody's: the first counts.
        corrections = _about(wanted)[::-1]
        self._is = {one.infohash: one for one in corrections if one.form is Form.IS}
        self._is_not = {(one.infohash, one.episode) for one in corrections if one.form is Form.IS_NOT}
        self._offsets = {
            one.group.lower(): one for one in corrections if one.form is Form.OFFSET and one.offset is not None
        }
        self._habits: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for habit in wanted.lore.habits:
            self._habits[habit.group.lower()].append((habit.offset, habit.title))
        self._shown: dict[str, list[Custom]] = defaultdict(list)
        self._numbers: dict[tuple[str, Style], set[int]] = defaultdict(set)
        self._posted: dict[tuple[object, ...], datetime] = {}
        self._runs_on_by_name = False

    # What people said

    def said_of(self, infohash: str) -> Correction | None:
        """What a person said that a release is."""
        return self._is.get(infohash)

    def is_denied(self, infohash: str, episode: int | None) -> bool:
        """Whether a person said that a release is not this episode."""
        return (infohash, None) in self._is_not or (infohash, episode) in self._is_not

    def corrected(self, group: str) -> Correction | None:
        """What a person said about this group's numbers, or everybody's."""
        return self._offsets.get(group.lower() or "\0") or self._offsets.get("")

    def is_like_corrected(self, correction: Correction, name: ReleaseName) -> bool:
        """Whether a name has title, season and part of the release that a correction was made on."""
        return bool(correction.title) and _likeness(self._reader.read(correction.title)) == _likeness(name)

    # What groups do

    def learn(self, seen: Iterable[tuple[Release, ReleaseName, Sight | str]], count: int | None) -> None:
        """Note what is posted, and which posts can be counted in one way only."""
        for release, name, sight in seen:
            if isinstance(sight, str) or not name.group:
                continue
            group, style = name.group.lower(), _style(sight)
            if name.episode is not None and name.last_episode is None:
                self._numbers[group, style].add(name.episode)
            if release.posted_at is not None:
                form = _form(name)
                self._posted[form] = min(self._posted.get(form, release.posted_at), release.posted_at)
            if start := only_start(name, sight, count):
                self._shown[group].append(Custom(start.before, name.raw, style))
                self._runs_on_by_name |= start.before > 0 and style == (False, False)

    def custom(self, name: ReleaseName, sight: Sight) -> Custom | None:
        """How the name's group counts in such titles; None where it is not known, or it counts in several ways."""
        offsets, style = {start.before for start in sight.starts}, _style(sight)
        for known in (self._shown.get(name.group.lower(), ()), self._remembered(name.group)):
            alike = [one for one in known if one.style in (None, style) and one.offset in offsets]
            if alike:
                return alike[0] if len({one.offset for one in alike}) == 1 else None
        return None

    def goes_on(self, name: ReleaseName, sight: Sight) -> bool:
        """Whether the group posted higher numbers, too."""
        return max(self._numbers[name.group.lower(), _style(sight)], default=0) > (name.episode or 0)

    def begins_with_nought(self, name: ReleaseName, sight: Sight, count: int) -> bool:
        """Whether the group has an episode 0 and ends one short, so that its numbers may be one behind."""
        numbers = self._numbers[name.group.lower(), _style(sight)]
        return {0, count - 1} <= numbers and count not in numbers

    def was_posted_long_before(self, release: Release, name: ReleaseName) -> bool:
        """Whether the group posted the same in the same form long before: a season that it does not name."""
        first = self._posted.get(_form(name))
        return first is not None and release.posted_at is not None and release.posted_at - first > LONG_AFTER

    def does_anybody_run_on(self) -> bool:
        """Whether any group counts from an earlier season under the anime's own name."""
        return self._runs_on_by_name

    def _remembered(self, group: str) -> list[Custom]:
        habits = self._habits.get(group.lower(), ()) if group else ()
        return [Custom(offset, title, self._style_of(title)) for offset, title in habits]

    def _style_of(self, title: str) -> Style | None:
        sight = self._see(self._reader.read(title))
        return None if isinstance(sight, str) else _style(sight)


def _style(sight: Sight) -> Style:
    return (sight.is_marked, sight.must_run_on)


def _form(name: ReleaseName) -> tuple[object, ...]:
    title = key(word.text for word in words(name.title))
    number = (name.season, name.part, name.episode, name.last_episode)
    return (name.group.lower(), title, number, name.resolution, name.source, name.codec, name.version)


def only_start(name: ReleaseName, sight: Sight, count: int | None) -> Start | None:
    """The one way to count in which a name's number can be; None when there are several or none."""
    if name.episode is None or name.last_episode is not None or name.fraction is not None or len(sight.starts) < 2:
        return None
    possible = [start for start in sight.starts if start.least <= name.episode <= _most(start, sight, count)]
    return possible[0] if len(possible) == 1 else None


def titles_said(wanted: Wanted) -> tuple[str, ...]:
    """The titles that people said belong to the anime."""
    return tuple(one.title for one in _about(wanted) if one.form is Form.TITLE and one.title)


def _about(wanted: Wanted) -> list[Correction]:
    return [one for one in wanted.lore.corrections if one.media_id == wanted.family.anime.media_id]


def _most(start: Start, sight: Sight, count: int | None) -> float:
    return float("inf") if count is None or (sight.is_open and start is sight.starts[0]) else start.before + count


def _likeness(name: ReleaseName) -> tuple[str, str, int | None, int | None]:
    form = shapes(name.title)[0]
    season = name.season if name.season is not None else form.season
    return (name.group.lower(), form.base, season, name.part if name.part is not None else form.part)
