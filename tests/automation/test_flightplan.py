"""What the autopilot is to be after, whatever the list, the hour and the past are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from uuutorrent.accounts import UserId
from uuutorrent.anime.anime import Anime, MediaId, WatchEntry, WatchStatus
from uuutorrent.automation.autopilot import flightplan
from uuutorrent.automation.autopilot.flightplan import LOOKS, MOST_NEW, PATIENCE, Steps, next_look, steps
from uuutorrent.automation.autopilot.pursuit import Pursuit, Show, State
from uuutorrent.automation.preferences import Mode

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)
HOURS = st.integers(-400, 400).map(lambda hours: NOW + timedelta(hours=hours))
EPISODES = st.integers(1, 30)
STATUSES = ("FINISHED", "NOT_YET_RELEASED", "RELEASING", "HIATUS")


def pursuit(episode: int, state: State, at: datetime = NOW, *, asked: bool = False) -> Pursuit:
    return Pursuit(episode, UserId(1), MediaId(7), episode, state, "", "", "", 0, at, at, asked, "")


@st.composite
def entries(draw: st.DrawFn) -> WatchEntry:
    episodes = draw(st.none() | EPISODES)
    airing = draw(st.booleans())
    anime = Anime(
        MediaId(7), "Show", "", "", "Show",
        status="RELEASING" if airing else draw(st.sampled_from(STATUSES)),
        episodes=episodes,
        next_episode=draw(st.integers(1, episodes or 30)) if airing else None,
        next_airs_at=draw(HOURS) if airing else None,
    )  # fmt: skip
    return WatchEntry(anime, draw(st.sampled_from(WatchStatus)), draw(st.integers(0, 30)))


SHOWS = st.builds(Show, st.none() | st.sampled_from(Mode), st.none() | st.integers(1, 31))
KNOWN = st.dictionaries(EPISODES, st.sampled_from(State)).map(
    lambda states: {episode: pursuit(episode, state) for episode, state in states.items()}
)
HELD = st.frozensets(EPISODES, max_size=5)


def applied(taken: Steps, known: Mapping[int, Pursuit]) -> dict[int, Pursuit]:
    """What is known after the steps were written down."""
    moved = {one.episode: pursuit(one.episode, one.state, at) for one, at in taken.move}
    return {**known, **{one.episode: pursuit(one.episode, State.WANTED, one.at) for one in taken.begin}, **moved}


@given(entries(), SHOWS, KNOWN, HELD)
def test_nothing_watched_held_known_or_without_an_hour_is_ever_begun(
    entry: WatchEntry, show: Show, known: dict[int, Pursuit], held: frozenset[int]
) -> None:
    anime = entry.anime.as_of(NOW)
    for one in steps(entry, show, known, held, NOW).begin:
        assert one.episode > entry.progress
        assert one.episode not in held
        assert one.episode not in known
        aired = flightplan.surely_aired(anime)
        is_next = (one.episode, one.at) == (anime.next_episode, anime.next_airs_at)
        assert is_next or (aired is not None and one.episode <= aired)
        assert one.at <= NOW or is_next
        assert one.try_at >= one.at


@given(entries(), KNOWN, HELD)
def test_a_show_seen_for_the_first_time_never_floods(
    entry: WatchEntry, known: dict[int, Pursuit], held: frozenset[int]
) -> None:
    taken = steps(entry, Show(), known, held, NOW)
    assert len(taken.begin) <= 1
    assert all(one.at > NOW for one in taken.begin)


@given(entries(), SHOWS, KNOWN, HELD)
def test_no_look_begins_more_than_a_few_episodes_of_a_show(
    entry: WatchEntry, show: Show, known: dict[int, Pursuit], held: frozenset[int]
) -> None:
    assert len(steps(entry, show, known, held, NOW).begin) <= MOST_NEW + 1


@given(entries(), SHOWS, KNOWN, HELD)
def test_the_same_look_again_brings_nothing_new(
    entry: WatchEntry, show: Show, known: dict[int, Pursuit], held: frozenset[int]
) -> None:
    first = steps(entry, show, known, held, NOW)
    again = steps(entry, Show(show.mode, first.first_episode), applied(first, known), held, NOW)
    assert again == Steps(first.first_episode)


@given(entries(), SHOWS, KNOWN, HELD)
def test_what_is_asked_about_aired_before_the_show_was_seen_and_is_not_begun(
    entry: WatchEntry, show: Show, known: dict[int, Pursuit], held: frozenset[int]
) -> None:
    taken = steps(entry, show, known, held, NOW)
    assert not set(taken.backlog) & {one.episode for one in taken.begin}
    assert all(taken.first_episode is not None and episode < taken.first_episode for episode in taken.backlog)


@given(HOURS, HOURS)
def test_what_is_not_found_is_looked_for_more_and_more_rarely_until_it_is_given_up(
    begun: datetime, now: datetime
) -> None:
    at = next_look(begun, now)
    if at is None:
        assert now >= begun + PATIENCE
    else:
        assert now < at <= begun + PATIENCE or now < begun
    gaps = [later - earlier for earlier, later in zip((timedelta(0), *LOOKS), LOOKS, strict=False)]
    assert all(gap >= timedelta(hours=1) for gap in gaps)


@given(entries(), st.sampled_from(Mode), HELD, EPISODES, st.sampled_from(State))
def test_only_what_is_open_becomes_moot(
    entry: WatchEntry, mode: Mode, held: frozenset[int], episode: int, state: State
) -> None:
    why = flightplan.moot(pursuit(episode, state), entry, mode, held)
    if state not in (State.WANTED, State.OFFERED):
        assert why == ""
    elif episode <= entry.progress or episode in held or mode is Mode.OFF:
        assert why


def test_a_show_on_a_break_does_not_count_as_aired() -> None:
    anime = Anime(MediaId(7), "Show", "", "", "Show", status="RELEASING", episodes=24)
    entry = WatchEntry(anime, WatchStatus.CURRENT, 12)
    assert steps(entry, Show(), {}, (), NOW) == Steps()


def test_only_shows_that_are_watched_are_followed() -> None:
    anime = Anime(MediaId(7), "Show", "", "", "Show")
    modes = {
        status: (
            flightplan.mode_for(WatchEntry(anime, status, 0), Mode.ON, None),
            flightplan.mode_for(WatchEntry(anime, status, 0), Mode.OFF, Mode.ASK),
        )
        for status in WatchStatus
    }
    followed = {status: both for status, both in modes.items() if both != (Mode.OFF, Mode.OFF)}
    assert followed == {
        WatchStatus.CURRENT: (Mode.ON, Mode.ASK),
        WatchStatus.REPEATING: (Mode.OFF, Mode.ASK),
    }
