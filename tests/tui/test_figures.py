from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uuutorrent.config import Ssh
from uuutorrent.errors import Invalid
from uuutorrent.tui.figures import ago, count, eta, filled, percent, rate, size, span, took
from uuutorrent.tui.filter import matches
from uuutorrent.tui.held import short
from uuutorrent.tui.steer import limit_bps

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_bytes", "said"),
    [(0, "0 B"), (999, "999 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (10 << 10, "10 KiB"),
     (1024**2 - 1, "1.0 MiB"), (700 << 20, "700 MiB"), (1_400_000_000, "1.3 GiB"), (50 << 30, "50 GiB"), (-5, "0 B")],
)  # fmt: skip
def test_sizes_are_short(given_bytes: int, said: str) -> None:
    assert size(given_bytes) == said


@given(st.integers(0, 2**60))
def test_no_size_is_wider_than_its_column(n: int) -> None:
    assert len(size(n)) <= 8
    assert len(rate(n)) <= 10


def test_nothing_is_said_of_what_does_not_move() -> None:
    assert rate(0) == ""
    assert eta(None) == ""
    assert eta(8_640_000) == ""
    assert eta(90) == "1m"


@pytest.mark.parametrize(
    ("progress", "said"), [(0, "0 %"), (0.999999, "99 %"), (1, "100 %"), (-1, "0 %"), (2, "100 %")]
)
def test_what_is_not_whole_is_never_called_whole(progress: float, said: str) -> None:
    assert percent(progress) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (3600, "1h"),
        (3660, "1h 1m"),
        (86400, "1d"),
        (187_200, "2d 4h"),
        (-3, "0s"),
    ],
)
def test_spans_have_their_two_largest_units(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_how_long_a_step_took() -> None:
    assert (took(0.4), took(999), took(1234)) == ("0 ms", "999 ms", "1.2 s")


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=3, seconds=9), "3m ago"),
        (timedelta(days=2, hours=9), "2d ago"),
        (timedelta(days=90), "5 Aug 2026"),
        (timedelta(seconds=-9), "just now"),
    ],
)
def test_how_long_ago(before: timedelta, said: str) -> None:
    assert ago(NOW - before, NOW) == said


def test_counting() -> None:
    assert (count(1, "file"), count(0, "file"), count(2, "file")) == ("1 file", "0 files", "2 files")


@given(st.floats(allow_nan=False), st.integers(0, 50))
def test_a_bar_never_leaves_its_room(fraction: float, width: int) -> None:
    assert len(filled(fraction, width)) <= width


def test_a_filter_needs_every_word_in_any_spelling() -> None:
    assert matches("FRIEREN sousou", "Sousou no Frieren", "葬送のフリーレン")
    assert matches("フリーレン", "x", "葬送のフリーレン")
    assert matches("ＡＢＣ", "abc")
    assert matches("", "anything")
    assert not matches("frieren dandadan", "Sousou no Frieren")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("[SubsPlease] Show - 01 (1080p) [ABCDEF12].mkv", "Show - 01 (1080p)"),
        ("Show.S01E01.mkv", "Show.S01E01"),
        ("[Group]", "[Group]"),
        ("Show [1080p]", "Show [1080p]"),
        ("", ""),
    ],
)
def test_names_are_cut_to_what_tells_them_apart(name: str, said: str) -> None:
    assert short(name) == said


@pytest.mark.parametrize(
    ("typed", "bps"),
    [
        ("", 0),
        ("0", 0),
        ("500", 500 << 10),
        ("1.5M", 3 << 19),
        (" 2 MiB/s ", 2 << 20),
        ("1g", 1 << 30),
        ("64KB", 64 << 10),
    ],
)
def test_limits_as_people_type_them(typed: str, bps: int) -> None:
    assert limit_bps(typed) == bps


@pytest.mark.parametrize("typed", ["fast", "-1", "1T", "1,5M", "99999999", "½"])
def test_what_is_no_limit(typed: str) -> None:
    with pytest.raises(Invalid, match="is no speed"):
        limit_bps(typed)


@pytest.mark.parametrize(
    ("port", "path", "line"),
    [
        (2222, "/", "scp -P 2222 -r ann@seedbox:/ ."),
        (22, "/Show/01.mkv", "scp -r ann@seedbox:/Show/01.mkv ."),
        (22, "/[A] It's *1*", """scp -r 'ann@seedbox:/\\[A\\] It'"'"'s \\*1\\*' ."""),
    ],
)
def test_the_line_that_fetches_survives_a_shell_and_scps_patterns(port: int, path: str, line: str) -> None:
    assert Ssh(port=port, public_host="seedbox").fetch("ann", path) == line
