"""How much of a file somebody read: noted with every read, so it costs next to nothing and stays small. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

SLICES = 100
"""A file is looked at in so many parts of one size."""
ENOUGH = 90
"""Slices, and per cent of the bytes, that make a file read: a player skips an opening."""
LAST = 0b11 << (SLICES - 2)
"""The slices that hold the end."""


@dataclass(slots=True)
class Coverage:
    """The parts of one file that were read, in whatever order."""

    size_bytes: int
    bytes: int = 0
    slices: int = 0
    """A bit for each slice that something was read of."""

    def note(self, offset: int, length: int) -> None:
        """So many bytes were read from there."""
        first = offset * SLICES // self.size_bytes
        last = ((offset + length) * SLICES - 1) // self.size_bytes
        self.slices |= ((2 << (last - first)) - 1) << first
        self.bytes += length

    def add(self, other: Coverage) -> None:
        """What was read elsewhere: over another connection, or before one broke."""
        self.slices |= other.slices
        self.bytes += other.bytes

    @property
    def is_to_the_end(self) -> bool:
        """The end was read, and nearly everything before it: players look at the end of a file first of all."""
        most = self.bytes * 100 >= self.size_bytes * ENOUGH and self.slices.bit_count() >= ENOUGH
        return most and self.slices & LAST == LAST
