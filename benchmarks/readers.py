"""Who reads release names in the benchmark: this project, and three libraries it is measured beside.

aniparse and guessit are needed for nothing else, so they are in a dependency group of their own; what is not installed
is not measured. Each library's answer becomes a `ReleaseName`, and what a library raises counts as reading nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from tests.releases.corpus import Labelled
from uuutorrent.releases.layout import MASK, Known
from uuutorrent.releases.names import parse
from uuutorrent.releases.release import ReleaseName

Read = Callable[[str], ReleaseName]
RAISED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, AssertionError, RuntimeError)
LIBRARIES = ("anitopy", "aniparse", "guessit")
INSTALL = ".venv/bin/uv pip install --python .venv/bin/python --group benchmarks"
_STANDING_IN = "Kotobanashi"
"""A word that nobody takes for anything but a title."""


def missing() -> tuple[str, ...]:
    """Libraries that are not installed."""
    return tuple(name for name in LIBRARIES if importlib.util.find_spec(name) is None)


def libraries() -> dict[str, Read]:
    """A reader for each library that is installed."""
    made: dict[str, Callable[[Any], Read]] = {"anitopy": _anitopy, "aniparse": _aniparse, "guessit": _guessit}
    return {name: make(importlib.import_module(name)) for name, make in made.items() if name not in missing()}


def ours(label: Labelled) -> ReleaseName:
    return parse(label.name)


def ours_knowing(label: Labelled) -> ReleaseName:
    return parse(label.name, label.titles)


def knowing(read: Read, label: Labelled) -> ReleaseName:
    """What a library reads when the known title is replaced by one word before it looks."""
    masked = re.sub(f"{MASK}+", _STANDING_IN, Known(label.titles).masked(label.name))
    answer = _told(read, masked)
    title = answer.title.replace(_STANDING_IN, label.titles[0])
    return replace(answer, title=title, group=answer.group.replace(_STANDING_IN, label.titles[0]))


def unknowing(read: Read, label: Labelled) -> ReleaseName:
    return _told(read, label.name)


def _told(read: Read, name: str) -> ReleaseName:
    try:
        return read(name)
    except RAISED:
        return ReleaseName(raw=name, title="")


def _anitopy(library: Any) -> Read:
    def read(name: str) -> ReleaseName:
        said = library.parse(name) or {}
        seasons, episodes = _numbers(said.get("anime_season")), _numbers(said.get("episode_number"))
        return _name(
            name, said.get("anime_title"), said.get("release_group"), seasons, episodes, said.get("video_resolution")
        )

    return read


def _aniparse(library: Any) -> Read:
    def read(name: str) -> ReleaseName:
        said = library.parse(name) or {}
        series = (said.get("series") or [{}])[0]
        height = next((size.get("video_height") for size in said.get("video_resolution", ())), None)
        return _name(
            name,
            series.get("title"),
            next(iter(said.get("release_group") or ()), ""),
            list(_ends(series.get("season", ()))),
            list(_ends(series.get("episode", ()))),
            str(height or ""),
        )

    return read


def _ends(counted: Iterable[dict[str, Any]]) -> Iterable[float]:
    for one in counted:
        for part in (one, one.get("start"), one.get("end")):
            if part and part.get("number") is not None:
                yield float(part["number"])


def _guessit(library: Any) -> Read:
    def read(name: str) -> ReleaseName:
        said = library.guessit(name)
        seasons, episodes = _numbers(said.get("season")), _numbers(said.get("episode"))
        return _name(name, said.get("title"), said.get("release_group"), seasons, episodes, said.get("screen_size"))

    return read


def _numbers(said: object) -> list[float]:
    values = said if isinstance(said, list) else [said]
    found = (re.match(r"\d+(\.\d+(?!\w))?", str(value)) for value in values if value is not None)
    return [float(match[0]) for match in found if match]


def _name(
    raw: str, title: object, group: object, seasons: Sequence[float], episodes: Sequence[float], resolution: object
) -> ReleaseName:
    first = episodes[0] if episodes else None
    whole = first is None or first.is_integer()
    height = re.findall(r"\d{3,4}", str(resolution or ""))
    return ReleaseName(
        raw=raw,
        title=str((title[0] if isinstance(title, list) and title else title) or ""),
        group=str(group or ""),
        season=int(seasons[0]) if seasons else None,
        last_season=int(seasons[-1]) if len(set(seasons)) > 1 else None,
        episode=int(first) if first is not None and whole else None,
        last_episode=int(episodes[-1]) if len(set(episodes)) > 1 else None,
        fraction=None if whole else first,
        resolution=int(height[-1]) if height else None,
    )
