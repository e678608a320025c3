"""One reader of sizes for every line that people type one into."""

from __future__ import annotations

import pytest

from uuutorrent.errors import Invalid
from uuutorrent.ssh import typed
from uuutorrent.tui.amounts import number_of, size_of
from uuutorrent.tui.feedwords import FIELDS
from uuutorrent.tui.steer import limit_bps
from uuutorrent.tui.wishes import BY_NAME

_RULE = {field.name: field for field in FIELDS}


@pytest.mark.parametrize("text", ["1.5 GiB", "1.5G", "1.5gb", "1536 M", "1536MiB"])
def test_a_size_is_read_alike_wherever_it_is_typed(text: str) -> None:
    assert size_of(text) == 3 << 29
    assert typed.size(text, field="quota") == 3 << 29
    assert _RULE["min_bytes"].take(text) == 3 << 29
    assert limit_bps(text) == 3 << 29
    assert BY_NAME["max_bytes_per_min"].take(f"{text}/min") == 3 << 29


@pytest.mark.parametrize("text", ["", "big", "1,5 G", "-1", "1 X", "½G", "99999999999999999999", "9000000000 G"])
def test_what_is_no_size_is_told_with_an_example(text: str) -> None:
    with pytest.raises(Invalid, match=r"is no size: type e\.g\. 700 MiB or 2 GiB"):
        size_of(text)


def test_a_number_without_a_unit_counts_what_the_line_asks_for() -> None:
    assert size_of("500") == 500
    assert limit_bps("500") == 500 << 10
    with pytest.raises(Invalid, match="60 is no size"):
        BY_NAME["max_bytes_per_min"].take("60")


def test_a_number_is_digits() -> None:
    assert number_of("12") == 12
    for text in ("", "twelve", "-1", "1.5", "٣", "1234567890"):
        with pytest.raises(Invalid, match="is not a number"):
            number_of(text)
