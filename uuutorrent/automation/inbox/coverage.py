"""How much of a file somebody read: noted with every read, so it costs next to nothing and stays small. No I/O."""

from __future__ import annotations

SLICES = 100
"""A file is looked at in so many parts of one size."""
ENOUGH = 90
"""Slices, and per cent of the bytes, that make a file read: a player skips an opening."""
LAST = 0b11 << (SLICES - 2)
"""The slices that hold the end."""


class Coverage:
    """The parts of one file that were read, in whatever order."""

    __slots__ = ("_bytes", "_end", "_slices", "_start", "size_bytes")

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._bytes = 0
        self._slices = 0
        """A bit for each slice that something was read of."""
        self._start = 0
        self._end = 0
        """What was read in one go last is not in the figures above yet: most reads go on where the one before ended."""

    def note(self, offset: int, length: int) -> None:
        """So many bytes were read from there."""
        if offset != self._end:
            self._settle()
            self._start = offset
        self._end = offset + length

    def add(self, other: Coverage) -> None:
        """What was read elsewhere: over another connection, or before one broke."""
        other._settle()
        self._slices |= other._slices
        self._bytes += other._bytes

    @property
    def bytes(self) -> int:
        """How much was read; what was read twice counts twice."""
        self._settle()
        return self._bytes

    @property
    def is_to_the_end(self) -> bool:
        """The end was read, and nearly everything before it: players look at the end of a file first of all."""
        most = self.bytes * 100 >= self.size_bytes * ENOUGH and self._slices.bit_count() >= ENOUGH
        return most and self._slices & LAST == LAST

    def _settle(self) -> None:
        if self._end > self._start:
            # Whatever a file has become since it was opened, it is looked at as long as it was.
            size_bytes = max(1, self.size_bytes)
            first = min(self._start * SLICES // size_bytes, SLICES - 1)
            last = min((self._end * SLICES - 1) // size_bytes, SLICES - 1)
            self._slices |= ((2 << (last - first)) - 1) << first
            self._bytes += self._end - self._start
            self._start = self._end
