"""Release names with what they mean, and how a reading is compared with that."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uuutorrent.releases.release import ReleaseName

TITLES = Path(__file__).parents[1] / "data" / "release-titles.tsv"


@dataclass(frozen=True)
class Labelled:
    name: str
    titles: tuple[str, ...]
    """Any of these is right."""
    season: str
    """"2", "1-3" or nothing."""
    episode: str
    """"3", "1-12", "12.5" or nothing."""
    group: str
    resolution: str


def labelled(path: Path = TITLES) -> list[Labelled]:
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [Labelled(name, tuple(titles.split("|")), *rest) for name, titles, *rest in rows]


def title_is_right(read: str, titles: Sequence[str]) -> bool:
    return any(_plain(read) == _plain(title) for title in titles)


def season_is_right(read: ReleaseName, season: str) -> bool:
    said = f"{read.season}-{read.last_season}" if read.last_season else str(read.season or 1)
    return said == (season or "1")


def episode_is_right(read: ReleaseName, episode: str) -> bool:
    if not episode:
        return read.episode is None and read.fraction is None
    if "." in episode:
        return read.fraction == float(episode)
    first, _, last = episode.partition("-")
    return (read.episode, read.last_episode) == (int(first), int(last) if last else None)


def is_right(read: ReleaseName, label: Labelled) -> bool:
    return (
        title_is_right(read.title, label.titles)
        and season_is_right(read, label.season)
        and episode_is_right(read, label.episode)
    )


def _plain(title: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", title).casefold())
