"""When a file counts as read to its end, however it was read."""

from __future__ import annotations

import random

import pytest

from uuutorrent.automation.inbox.coverage import Coverage

SIZE = 700 << 20
BLOCK = 32 << 10


def read(coverage: Coverage, first: float, last: float) -> Coverage:
    """Read from one part of the file to another (0..1), a block at a time."""
    at, end = round(coverage.size_bytes * first), round(coverage.size_bytes * last)
    while at < end:
        length = min(BLOCK, end - at)
        coverage.note(at, length)
        at += length
    return coverage


@pytest.mark.parametrize("size", [1, 3, 99, 100, 101, 12345, SIZE])
def test_a_file_that_was_copied_was_read_whatever_its_size(size: int) -> None:
    assert read(Coverage(size), 0, 1).is_to_the_end


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_a_file_that_grew_meanwhile_is_looked_at_as_long_as_it_was(size: int) -> None:
    coverage = Coverage(size)
    coverage.note(0, 5000)
    coverage.note(100_000, 5000)
    assert coverage.bytes == 10_000


def test_the_order_does_not_matter() -> None:
    coverage = Coverage(SIZE)
    blocks = list(range(0, SIZE, BLOCK))
    random.Random(4).shuffle(blocks)
    for at in blocks:
        coverage.note(at, min(BLOCK, SIZE - at))
    assert coverage.is_to_the_end


@pytest.mark.parametrize(
    ("parts", "is_read"),
    [
        ([(0, 0.5)], False),
        ([(0, 0.97)], False),
        ([(0.98, 1), (0, 0.01), (0.01, 0.5)], False),
        ([(0.98, 1), (0, 0.97)], True),
        ([(0, 0.03), (0.09, 1)], True),
        ([(0, 0.3), (0.3, 0.6), (0.9, 1)], False),
        ([(0.5, 1), (0.5, 1)], False),
        ([(0.5, 1), (0, 0.5)], True),
    ],
    ids=[
        "half",
        "without the end",
        "a player that looked at the end first",
        "a player that saw it through",
        "an opening that was skipped",
        "a jump to the end",
        "the second half twice",
        "two halves",
    ],
)
def test_the_end_and_nearly_all_before_it_must_have_been_read(parts: list[tuple[float, float]], is_read: bool) -> None:
    coverage = Coverage(SIZE)
    for first, last in parts:
        coverage.add(read(Coverage(SIZE), first, last))
    assert coverage.is_to_the_end is is_read


def test_looking_here_and_there_reads_nothing() -> None:
    coverage = Coverage(SIZE)
    for percent in range(100):
        coverage.note(SIZE * percent // 100, BLOCK)
    coverage.note(SIZE - BLOCK, BLOCK)
    assert not coverage.is_to_the_end
