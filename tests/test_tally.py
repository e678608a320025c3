from __future__ import annotations

import asyncio
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uuutorrent.errors import Conflict, Missing, Unexpected, Unreachable
from uuutorrent.ssh.door import KINDS
from uuutorrent.tally import FAMILIES, OTHER, SECONDS, Tally
from uuutorrent.torrents.grab import GrabState
from uuutorrent.tries import Method


def test_counting_adds_up_by_labels() -> None:
    tally = Tally()
    tally.count("served_bytes", "sftp", by=100)
    tally.count("served_bytes", "sftp", by=20)
    tally.count("sessions", "sftp")
    assert tally.counters == {("served_bytes", ("sftp",)): 120, ("sessions", ("sftp",)): 1}


@given(st.lists(st.floats(0, 100), max_size=50))
def test_every_observation_is_in_one_bucket_that_is_large_enough(seconds: list[float]) -> None:
    tally = Tally()
    for one in seconds:
        tally.observe("grab_step_duration_seconds", one, "search")
    seen = tally.distributions.get(("grab_step_duration_seconds", ("search",)))
    if seen is None:
        assert not seconds
        return
    for upto, bound in enumerate(SECONDS):
        assert sum(seen.counts[: upto + 1]) == sum(one <= bound for one in seconds)
    assert sum(seen.counts) == len(seconds)
    assert seen.total == pytest.approx(sum(seconds))


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        (Missing("no such show"), "ok"),
        (Conflict("not now"), "ok"),
        (Unreachable("AniList", "no answer"), "timeout"),
        (Unreachable("AniList", "slow down", retry_after_s=5), "throttled"),
        (Unexpected("AniList", "nonsense"), "error"),
        (ValueError("ours"), "error"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
def test_a_request_is_counted_and_timed_however_it_ends(error: BaseException | None, outcome: str) -> None:
    tally = Tally()

    def ask() -> None:
        with tally.dependency("anilist"):
            if error is not None:
                raise error

    if error is None:
        ask()
    else:
        with pytest.raises(type(error)):
            ask()
    assert tally.counters == {("dependency_requests", ("anilist", outcome)): 1}
    assert sum(tally.distributions["dependency_request_duration_seconds", ("anilist",)].counts) == 1


def test_labels_that_do_not_fit_are_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="method, outcome"):
        Tally().count("ssh_auth_attempts", "password")
    with pytest.raises(KeyError):
        Tally().count("nonsense")


def test_values_nobody_foresaw_are_shown_as_other() -> None:
    family = FAMILIES["ssh_auth_attempts"]
    assert family.known(("password", "ok")) == ("password", "ok")
    assert family.known(("password", "ann@203.0.113.9")) == ("password", OTHER)


def test_the_values_that_the_house_uses_are_foreseen() -> None:
    kinds = (*KINDS, "browser")
    assert FAMILIES["sessions"].labels["kind"] == FAMILIES["session_crashes"].labels["kind"] == kinds
    assert {*FAMILIES["ssh_auth_attempts"].labels["method"], "browser"} == set(get_args(Method))
    assert set(FAMILIES["grabs"].labels["outcome"]) == {GrabState.ADDED, GrabState.COMPLETE, GrabState.FAILED}
