"""How a download is doing: by the bytes that come, by the time that counts, and left alone where it should be."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uuutorrent.automation.health.health import (
    HUNGRY,
    Cause,
    Judgement,
    Observation,
    Verdict,
    judge,
    observe,
    refusal,
    span,
)
from uuutorrent.config import Health
from uuutorrent.torrents.engine import EngineId, Phase, Torrent, Tracker

BEGIN = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)
SIZE = 1_000_000
LIMITS = Health()
EVERY_S = 60.0
TORRENT = Torrent(
    id=EngineId("a" * 40),
    v1="a" * 40,
    v2="",
    name="Show - 01",
    phase=Phase.STALLED,
    progress=0.5,
    size_bytes=SIZE,
    completed_bytes=SIZE // 2,
    down_bps=0,
    up_bps=0,
    uploaded_bytes=0,
    eta_s=None,
    ratio=0.0,
    seeds=2,
    peers=0,
    added_at=BEGIN - timedelta(hours=1),
    completed_at=None,
    save_path="/downloads",
    content_path="/downloads/Show - 01",
    tags=frozenset(),
)


def watched(
    looks: Sequence[tuple[float, Torrent]], limits: Health = LIMITS, every_s: float = EVERY_S
) -> tuple[Observation, Judgement]:
    """What is known after looks, each so many seconds after the one before."""
    seen: Observation | None = None
    now, torrent = BEGIN, looks[0][1]
    for after_s, torrent in looks:
        now += timedelta(seconds=after_s)
        seen = observe(seen, torrent, now, interval_s=every_s)
    assert seen is not None
    return seen, judge(seen, torrent, limits, now)


def still_for(minutes: int, torrent: Torrent = TORRENT) -> list[tuple[float, Torrent]]:
    return [(60.0, torrent)] * (minutes + 1)


def test_a_quarter_of_an_hour_without_a_byte_is_stalled() -> None:
    assert watched(still_for(14))[1].verdict is Verdict.WELL
    verdict = watched(still_for(15))[1]
    assert (verdict.verdict, verdict.cause) == (Verdict.STALLED, Cause.STILL)
    assert verdict.why == "no byte came for 15 min, with 2 said to have it all"


def test_a_byte_makes_it_well_again_at_once() -> None:
    one_more = replace(TORRENT, completed_bytes=TORRENT.completed_bytes + 1)
    seen, verdict = watched([*still_for(20), (60.0, one_more)])
    assert (seen.still_s, verdict.verdict) == (0.0, Verdict.WELL)


def test_what_arrives_damaged_and_is_thrown_away_is_not_stillness() -> None:
    def receiving(minute: int) -> Torrent:
        return replace(TORRENT, down_bps=1000, eta_s=60, last_activity=BEGIN + timedelta(minutes=minute, seconds=-5))

    assert watched([(60.0, receiving(minute)) for minute in range(1, 30)])[1].verdict is Verdict.WELL
    faded = replace(TORRENT, down_bps=1000, last_activity=BEGIN - timedelta(minutes=1))
    assert watched(still_for(20, faded))[1].verdict is Verdict.STALLED


def test_metadata_that_never_comes_is_stalled_and_metadata_that_comes_is_progress() -> None:
    magnet = replace(TORRENT, phase=Phase.METADATA, size_bytes=0, completed_bytes=0, progress=0.0, seeds=0)
    # the engine touches the time of activity whenever it asks somebody for metadata
    asking = replace(magnet, last_activity=BEGIN + timedelta(days=1), down_bps=100)
    for one in (magnet, asking):
        verdict = watched(still_for(15, one))[1]
        assert verdict.verdict is Verdict.STALLED
        assert verdict.why == "its metadata has not come for 15 min"
    there = replace(TORRENT, progress=0.0, completed_bytes=0)
    assert watched([*still_for(10, magnet), *still_for(9, there)])[1].verdict is Verdict.WELL


@pytest.mark.parametrize("phase", sorted(set(Phase) - HUNGRY))
def test_time_in_which_nothing_could_come_does_not_count(phase: Phase) -> None:
    resting = replace(TORRENT, phase=phase)
    seen, verdict = watched([*still_for(10), *still_for(600, resting), *still_for(4)])
    assert seen.still_s == 14 * 60
    assert verdict.verdict is Verdict.WELL


@pytest.mark.parametrize("phase", [Phase.CHECKING, Phase.QUEUED, Phase.MOVING])
def test_a_check_is_no_recovery(phase: Phase) -> None:
    verdict = watched([*still_for(15), (60.0, replace(TORRENT, phase=phase))])[1]
    assert verdict.verdict is Verdict.STALLED


def test_a_person_who_pauses_it_is_not_treated() -> None:
    assert watched([*still_for(15), (60.0, replace(TORRENT, phase=Phase.PAUSED))])[1].verdict is Verdict.WELL


def test_time_in_which_nobody_looked_does_not_count() -> None:
    seen, _ = watched([*still_for(10), (8 * 3600.0, TORRENT), *still_for(2)])
    assert seen.still_s == 12 * 60 + 60


def test_a_clock_that_is_put_back_does_no_harm() -> None:
    seen, verdict = watched([*still_for(10), (-86_400.0, TORRENT), *still_for(4)])
    assert seen.still_s == 14 * 60 + 60
    assert verdict.verdict is Verdict.WELL


def test_young_downloads_are_left_alone() -> None:
    short = Health(stalled_s=5, young_s=180)
    young = replace(TORRENT, added_at=BEGIN)
    assert watched([(2.0, young)] * 60, short, 2.0)[1].verdict is Verdict.WELL
    assert watched([(2.0, young)] * 92, short, 2.0)[1].verdict is Verdict.STALLED


def test_what_is_nearly_there_is_left_alone() -> None:
    nearly = replace(TORRENT, progress=0.991, completed_bytes=991_000)
    verdict = watched(still_for(3000, nearly))[1]
    assert verdict.verdict is Verdict.WELL
    assert verdict.why == "no byte came for 2 days, but it is nearly there and is left alone"


def test_a_day_without_anybody_who_has_it_all_is_dead() -> None:
    lonely = replace(TORRENT, seeds=0)
    verdict = watched(still_for(24 * 60, lonely))[1]
    assert (verdict.verdict, verdict.cause) == (Verdict.DEAD, Cause.SEEDLESS)
    assert verdict.why == "nobody has had all of it for 24 h"
    one_came = [*still_for(24 * 60 - 10, lonely), (60.0, TORRENT), *still_for(20, lonely)]
    assert watched(one_came)[1].verdict is Verdict.STALLED


def test_a_download_that_gets_bytes_from_people_who_have_parts_is_not_dead() -> None:
    looks = [(60.0, replace(TORRENT, seeds=0, completed_bytes=minute)) for minute in range(3000)]
    assert watched(looks)[1].verdict is Verdict.WELL


def test_bytes_that_would_take_a_week_are_slow() -> None:
    trickling = replace(TORRENT, phase=Phase.DOWNLOADING, down_bps=10, eta_s=7 * 86_400)
    verdict = watched([(60.0, replace(trickling, completed_bytes=n)) for n in range(10)])[1]
    assert (verdict.verdict, verdict.why) == (Verdict.SLOW, "at the rate of now it takes another 7 days")
    endless = replace(trickling, eta_s=None)
    verdict = watched([(60.0, replace(endless, completed_bytes=n)) for n in range(10)])[1]
    assert verdict.why == "at the rate of now it takes more than 100 days"


def test_a_rate_that_falters_for_a_moment_is_not_slow() -> None:
    faltering = replace(TORRENT, phase=Phase.DOWNLOADING, down_bps=10, eta_s=None)
    half = TORRENT.completed_bytes
    assert watched([(60.0, replace(faltering, completed_bytes=half + n)) for n in range(5)])[1].verdict is Verdict.WELL


def test_errors_and_lost_files_are_broken_unless_something_else_is_to_blame() -> None:
    seen = Observation(BEGIN, BEGIN, 0, Phase.ERROR)
    error, missing = replace(TORRENT, phase=Phase.ERROR), replace(TORRENT, phase=Phase.MISSING)
    assert judge(seen, error, LIMITS, BEGIN).cause is Cause.ERROR
    assert judge(seen, missing, LIMITS, BEGIN).cause is Cause.MISSING
    for one in (error, missing):
        assert judge(seen, one, LIMITS, BEGIN, excuse="the disk is full") == Judgement(
            Verdict.WELL, Cause.NONE, "the disk is full"
        )
    assert judge(seen, TORRENT, LIMITS, BEGIN, excuse="the disk is full").why == ""


def test_content_that_is_something_else_is_broken_at_whatever_age() -> None:
    seen = Observation(BEGIN, BEGIN, SIZE, Phase.SEEDING, trouble="it is a program")
    whole = replace(TORRENT, phase=Phase.SEEDING, progress=1.0, added_at=BEGIN)
    assert judge(seen, whole, LIMITS, BEGIN) == Judgement(Verdict.BROKEN, Cause.CONTENT, "it is a program")


def tracker(message: str, status: str = "not working", url: str = "http://tracker/announce") -> Tracker:
    return Tracker(url, status, 0, 0, message)


@pytest.mark.parametrize(
    "said",
    [
        "torrent not registered",
        "Unregistered torrent",
        "Torrent is not registered with this tracker.",
        "Torrent not found",
        "info_hash not found in the database",
        "Unknown torrent",
        "Invalid info_hash",
        "Torrent has been deleted.",
        "Torrent has been trumped",
        "Requested download is not authorized for use with this tracker.",
    ],
)
def test_a_tracker_that_does_not_know_it_is_recognised(said: str) -> None:
    assert refusal([tracker("", "disabled", "DHT"), tracker(said)]) == said
    assert refusal([tracker("Working", "working", "http://other"), tracker(said)]) == ""


@pytest.mark.parametrize(
    "said",
    ["", "Host not found (authoritative)", "Not Found", "timed out", "Unregistered user", "passkey not registered"],
)
def test_other_trouble_with_trackers_is_no_refusal(said: str) -> None:
    assert refusal([tracker(said)]) == ""


def test_what_a_tracker_says_is_quoted_on_one_line_and_in_short() -> None:
    assert refusal([tracker("unregistered\n\x1b[31mtorrent " + "x" * 500)]).startswith("unregistered [31mtorrent xxx")
    assert len(refusal([tracker("unregistered torrent " + "x" * 500)])) <= 120


def test_a_refused_download_is_broken_once_it_is_not_young_and_gets_nothing() -> None:
    seen = replace(watched(still_for(3))[0], refusal="unregistered torrent")
    verdict = judge(seen, TORRENT, LIMITS, BEGIN)
    assert (verdict.verdict, verdict.cause) == (Verdict.BROKEN, Cause.UNREGISTERED)
    assert judge(replace(seen, still_s=0), TORRENT, LIMITS, BEGIN).verdict is Verdict.WELL
    assert judge(seen, replace(TORRENT, added_at=BEGIN), LIMITS, BEGIN).verdict is Verdict.WELL


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (99, "99 s"), (100, "2 min"), (900, "15 min"), (7200, "2 h"), (86_400, "24 h"), (172_800, "2 days")],
)
def test_times_are_said_in_words(seconds: float, said: str) -> None:
    assert span(seconds) == said


LOOKS = st.lists(
    st.tuples(
        st.floats(-100_000, 100_000),
        st.builds(
            lambda phase, completed, seeds, down: replace(
                TORRENT, phase=phase, completed_bytes=completed, progress=completed / SIZE, seeds=seeds, down_bps=down
            ),
            st.sampled_from(sorted(set(Phase))),
            st.integers(0, SIZE),
            st.integers(0, 3),
            st.integers(0, 10),
        ),
    ),
    min_size=1,
    max_size=30,
)


@given(LOOKS)
def test_a_download_to_which_bytes_come_is_never_stalled(looks: list[tuple[float, Torrent]]) -> None:
    growing = [(s, replace(torrent, completed_bytes=n, progress=0.5)) for n, (s, torrent) in enumerate(looks)]
    assert watched(growing, Health(stalled_s=1, dead_s=1))[1].verdict not in (Verdict.STALLED, Verdict.DEAD)


@given(LOOKS)
def test_no_more_time_is_counted_than_passed_while_it_should_have_got_bytes(looks: list[tuple[float, Torrent]]) -> None:
    pairs = itertools.pairwise(looks)
    due_s = sum(max(0.0, s) for (_, before), (s, after) in pairs if {before.phase, after.phase} <= HUNGRY)
    seen, _ = watched(looks)
    assert 0 <= seen.still_s <= due_s + 1e-3
    assert 0 <= seen.seedless_s <= due_s + 1e-3


@given(LOOKS, st.floats(1, 100_000))
def test_the_counter_only_grows_until_a_byte_comes(looks: list[tuple[float, Torrent]], every_s: float) -> None:
    seen: Observation | None = None
    now = BEGIN
    for after_s, torrent in looks:
        now += timedelta(seconds=after_s)
        before, seen = seen, observe(seen, torrent, now, interval_s=every_s)
        if before is not None:
            assert seen.still_s >= before.still_s or seen.still_s == 0
            if torrent.phase not in HUNGRY:
                assert seen.still_s in (before.still_s, 0)
