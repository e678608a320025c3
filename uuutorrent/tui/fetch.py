"""What is seen of a grab while it runs: its steps, with the time each took, and how it ended."""

from __future__ import annotations

import time

from uuutorrent.torrents.grab import Grab, GrabState, Step
from uuutorrent.tui.figures import took
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import WHEEL

STEPS = ("watchlist", "search", "rank", "add", "link")
"""In the order they are taken. A grab is named after them; people read `_LABELS`."""
_LABELS = {"rank": "choose"}
_POINT_OF_NO_RETURN = "link"
"""Once this step begins the torrent is claimed: cancelling is no use any more."""


class Fetch:
    """One grab of an episode, as it goes on. The screen shows it; `on_step` is told by the service."""

    def __init__(self, episode: int, *, release: str | None = None, whole_batch: bool = False) -> None:
        self.episode = episode
        self.release = release
        self.whole_batch = whole_batch
        self.grab: Grab | None = None
        self.trouble = ""
        self._ms: dict[str, float] = {}
        self._now = ""
        self._began = time.monotonic()

    @property
    def is_running(self) -> bool:
        """It has not ended yet."""
        return self.grab is None and not self.trouble

    @property
    def is_held(self) -> bool:
        """The torrent is claimed already, so giving up now changes nothing."""
        return _POINT_OF_NO_RETURN in self._ms or self._now == _POINT_OF_NO_RETURN

    @property
    def label(self) -> str:
        """The step that goes on just now."""
        return _LABELS.get(self._now, self._now) or "starting"

    def on_step(self, step: Step) -> None:
        """A step began, or is done."""
        if step.done:
            self._ms[step.step] = step.ms
            self._now = ""
        else:
            self._now, self._began = step.step, time.monotonic()

    def ended(self, grab: Grab) -> None:
        """It was added, or it failed."""
        self.grab = grab
        self.trouble = grab.reason if grab.state is GrabState.FAILED else ""
        self._now = ""

    def failed(self, why: str) -> None:
        """It did not come to a grab."""
        self.trouble, self._now = why, ""

    def spans(self, frame: int) -> tuple[Span, ...]:
        """The steps with a tick and their time, the one that goes on with a wheel (`frame` turns it)."""
        spans: list[Span] = []
        for step in STEPS:
            label = _LABELS.get(step, step)
            if step == self._now:
                so_far = took((time.monotonic() - self._began) * 1000)
                spans += [Span(f"{WHEEL[frame % len(WHEEL)]} {label} ", "accent"), Span(f"{so_far}  ", "dim")]
            elif step in self._ms:
                spans += [Span("✓ ", "good"), Span(f"{label} "), Span(f"{took(self._ms[step])}  ", "dim")]
            elif self.is_running:
                spans += [Span(f"· {label}  ", "dim")]
        return tuple(spans)
