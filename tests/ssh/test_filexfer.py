"""The words of SFTP: names, times and sizes as they go over the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uuutorrent.ssh.filexfer import Attributes, Fields, Malformed, attributes, encoded, long_name

OLD = datetime(2020, 2, 3, 4, 5, tzinfo=UTC)


@given(st.binary(max_size=300))
def test_names_that_are_not_utf8_come_and_go_as_they_are(name: bytes) -> None:
    assert encoded(Fields(len(name).to_bytes(4) + name).path()) == name


def test_a_name_that_no_disk_can_have_is_still_sent() -> None:
    assert encoded("a\ud800b") == b"a?b"


@given(st.binary(max_size=64))
def test_a_packet_that_ends_early_is_malformed_and_nothing_else(packet: bytes) -> None:
    fields = Fields(packet)
    try:
        while True:
            fields.string()
    except Malformed:
        pass


def test_old_files_show_their_year_and_new_ones_their_time() -> None:
    assert long_name("x", Attributes(False, 12345, OLD), "ann").endswith("       12345 Feb  3  2020 x")
    recent = datetime.now(UTC) - timedelta(days=1)
    assert f"{recent:%H:%M} x" in long_name("x", Attributes(False, 1, recent), "ann")


def test_a_name_in_a_listing_does_not_drive_a_terminal() -> None:
    assert long_name("a\x1b]0;x\x07\x9b2J\u202eb", Attributes(True, 0, OLD), "ann").endswith("a?]0;x??2J?b")


@pytest.mark.parametrize(("year", "seconds"), [(1950, 0), (2500, 2**32 - 1)])
def test_times_that_do_not_fit_are_as_near_as_can_be(year: int, seconds: int) -> None:
    of = Attributes(False, 2**63, datetime(year, 1, 1, tzinfo=UTC))
    assert of.mtime == seconds
    assert attributes(1, of)
