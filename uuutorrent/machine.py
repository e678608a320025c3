"""How the machine does: CPU, memory, disk, line and event loop, sampled every ten seconds and kept for a day in memory.

What `/proc` says is read by pure functions. Where there is no `/proc`, or it says something else, a figure is left out.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from uuutorrent.tally import Tally

SAMPLE_S = 10
HOUR = 3600 // SAMPLE_S
"""Samples of an hour."""
MERGED = 30
"""So many samples are one of the day: five minutes."""
DAY = 24 * HOUR // MERGED
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Sample:
    """The machine over ten seconds, or over five minutes. None: it is not known."""

    cpu: float | None = None
    """Share of all processors that was busy, 0..1."""
    memory: float | None = None
    """Share that programs use and cannot be freed at once, 0..1."""
    disk: float | None = None
    """Share of the downloads' disk that is used, 0..1."""
    received_bps: float | None = None
    """All that came in, over whichever line but loopback."""
    sent_bps: float | None = None
    lag_s: float | None = None
    """How late the event loop ran timers at worst, as far as the tally knows."""


FIGURES = tuple(field.name for field in fields(Sample))


@dataclass(frozen=True, slots=True)
class Counters:
    """What only grows."""

    busy: int = 0
    """Ticks of all processors."""
    ticks: int = 0
    received: int = 0
    sent: int = 0


class Machine:
    """Samples of the last hour, and of the last day."""

    def __init__(
        self, tally: Tally, downloads: Path, *, proc: Path = PROC, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tally = tally
        self._downloads = downloads
        self._proc = proc
        self._clock = clock
        self._before: tuple[float, Counters] | None = None
        self._lags: tuple[int, ...] = ()
        self._hour: deque[Sample] = deque(maxlen=HOUR)
        self._day: deque[Sample] = deque(maxlen=DAY)
        self._taken = 0

    def hour(self) -> tuple[Sample, ...]:
        """Every ten seconds, the newest last."""
        return tuple(self._hour)

    def day(self) -> tuple[Sample, ...]:
        """Every five minutes, the newest last: means, and of the lag the worst."""
        return tuple(self._day)

    async def sample_once(self) -> None:
        """Take one."""
        counters, memory, disk = await asyncio.to_thread(self._read)
        now = self._clock()
        moved = since(self._before, (now, counters)) if counters else Sample()
        self._before = (now, counters) if counters else None
        taken = Sample(moved.cpu, memory, disk, moved.received_bps, moved.sent_bps, self._lag())
        self._hour.append(taken)
        self._taken += 1
        if self._taken % MERGED == 0:
            self._day.append(merged(list(self._hour)[-MERGED:]))

    def _read(self) -> tuple[Counters | None, float | None, float | None]:
        known: tuple[Counters | None, float | None] = (None, None)
        try:
            texts = [(self._proc / name).read_text() for name in ("stat", "net/dev", "meminfo")]
            busy, ticks = processors(texts[0])
            received, sent = lines(texts[1])
            known = Counters(busy, ticks, received, sent), memory_share(texts[2])
        except (OSError, ValueError):
            pass  # it is not known
        try:
            usage = shutil.disk_usage(self._downloads)
            return *known, usage.used / (usage.used + usage.free)
        except (OSError, ZeroDivisionError):
            return *known, None

    def _lag(self) -> float | None:
        """The bound that the worst timer since the last sample stayed below."""
        seen = self._tally.distributions.get(("event_loop_lag_seconds", ()))
        if seen is None:
            return None
        before, self._lags = self._lags or (0,) * len(seen.counts), tuple(seen.counts)
        return worst(before, self._lags, self._tally.bounds("event_loop_lag_seconds"))


def processors(stat: str) -> tuple[int, int]:
    """Ticks that all processors were busy, and all ticks. Source: proc_stat(5), the line `cpu`.

    Raises:
        ValueError: it is not such a text.
    """
    name, *words = stat.partition("\n")[0].split()
    if name != "cpu" or len(words) < 5:
        raise ValueError("no line of all processors")
    # Guests' time is in user's and nice's; idle and waiting for the disk are not busy.
    ticks = [int(word) for word in words[:8]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def lines(dev: str) -> tuple[int, int]:
    """Bytes received and sent over all lines but loopback. Source: proc_pid_net(5), `dev`.

    Raises:
        ValueError: it is not such a text.
    """
    received = sent = 0
    for line in dev.splitlines()[2:]:
        name, _, figures = line.partition(":")
        words = figures.split()
        if len(words) < 16:
            raise ValueError("no table of lines")
        if name.strip() != "lo":
            received, sent = received + int(words[0]), sent + int(words[8])
    return received, sent


def memory_share(meminfo: str) -> float:
    """The share of memory that cannot be had at once. Source: proc_meminfo(5).

    Raises:
        ValueError: it is not such a text.
    """
    found = dict(line.partition(":")[::2] for line in meminfo.splitlines())
    try:
        total, available = (int(found[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    except (KeyError, IndexError) as e:
        raise ValueError("no memory in it") from e
    if total <= 0:
        raise ValueError("no memory in it")
    return 1 - available / total


def since(before: tuple[float, Counters] | None, now: tuple[float, Counters]) -> Sample:
    """What happened between two readings; a counter that went back is a machine or a line that is new."""
    if before is None or now[0] <= before[0]:
        return Sample()
    seconds, old, new = now[0] - before[0], before[1], now[1]
    ticks = new.ticks - old.ticks
    return Sample(
        cpu=min(1.0, max(0.0, (new.busy - old.busy) / ticks)) if ticks > 0 else None,
        received_bps=(new.received - old.received) / seconds if new.received >= old.received else None,
        sent_bps=(new.sent - old.sent) / seconds if new.sent >= old.sent else None,
    )


def worst(before: Sequence[int], now: Sequence[int], bounds: Sequence[float]) -> float | None:
    """The bound of the highest bucket that something fell into since; above all bounds the last one stands."""
    into = [place for place, (old, new) in enumerate(zip(before, now, strict=True)) if new > old]
    return bounds[min(into[-1], len(bounds) - 1)] if into else None


def merged(samples: Sequence[Sample]) -> Sample:
    """Several samples as one: means of what is known, and the worst lag."""
    values = {name: [v for one in samples if (v := getattr(one, name)) is not None] for name in FIGURES}
    means = {name: sum(of) / len(of) if of else None for name, of in values.items()}
    return Sample(**{**means, "lag_s": max(values["lag_s"], default=None)})
