"""The nouns of a grab: its state, its steps and the watch that times them. No I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from uuutorrent.errors import UuuError
from uuutorrent.tally import Tally


class GrabState(StrEnum):
    """How far a grab is."""

    ASKED = "asked"
    CLAIMED = "claimed"
    """The torrent is the user's, but the engine may not have it yet."""
    ADDED = "added"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a grab: watchlist, search, rank, add or link. `ms` is how long it took, 0 until it is `done`."""

    step: str
    ms: float = 0.0
    done: bool = False


@dataclass(frozen=True, slots=True)
class Grab:
    """A durable request for an episode."""

    id: int
    media_id: int
    episode: int
    quality: int | None
    infohash: str | None
    state: GrabState
    title: str
    """Of the release that was chosen."""
    reason: str
    """Why this release, or why it failed."""
    steps: tuple[Step, ...]
    asked_at: datetime
    ended_at: datetime | None
    whole_batch: bool = False
    """All of a batch was asked for."""
    files: tuple[str, ...] | None = None
    """What it fetches of a batch, by path, none where all of it; None: it is no batch."""
    error: UuuError | None = field(default=None, compare=False)
    """What made it fail just now; None for a grab that is only remembered."""

    @property
    def ms(self) -> float:
        """How long all steps took together."""
        return sum(step.ms for step in self.steps)

    @property
    def is_over(self) -> bool:
        """Nothing more will happen to it."""
        return self.state in (GrabState.COMPLETE, GrabState.FAILED)

    def because(self, error: UuuError) -> Self:
        """The same grab, with the error that ended it."""
        return replace(self, error=error)


class Stopwatch:
    """Times the steps of one grab, and tells whoever looks on."""

    def __init__(self, tally: Tally, on_step: Callable[[Step], None] | None) -> None:
        self._tally = tally
        self._on_step = on_step or (lambda _: None)
        self._begun: dict[str, float] = {}
        self._ms: dict[str, float] = {}

    @property
    def taken(self) -> list[dict[str, Any]]:
        """The finished steps, as they are stored."""
        return [{"step": step, "ms": round(ms, 3)} for step, ms in self._ms.items()]

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step; of a step that is taken twice the times add up."""
        self.begin(name)
        try:
            yield
        finally:
            self.end(name)

    def begin(self, name: str) -> None:
        """A step begins."""
        self._begun[name] = time.perf_counter()
        self._on_step(Step(name, self._ms.get(name, 0.0)))

    def end(self, name: str, *, less_ms: float = 0.0) -> None:
        """It ended; `less_ms` of it belonged to another step."""
        self.done(name, max(0.0, (time.perf_counter() - self._begun[name]) * 1000 - less_ms))

    def done(self, name: str, ms: float) -> None:
        """A step took so long."""
        self._ms[name] = self._ms.get(name, 0.0) + ms
        self._tally.observe("grab_step_duration_seconds", ms / 1000, name)
        self._on_step(Step(name, self._ms[name], done=True))
