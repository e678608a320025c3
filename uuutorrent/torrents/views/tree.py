"""The folders of a view in memory: what is called how, and where it is beneath the download root. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from uuutorrent.torrents.holdings import Finished
from uuutorrent.torrents.views.names import Names

NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Arriving:
    """A file that is not whole yet: what is known of it while it may not even be on the disk."""

    infohash: str
    index: int
    shown_bytes: int
    since: datetime
    """What stands for its time until it is on the disk."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A file: where it is beneath the download root."""

    place: str
    arriving: Arriving | None = None
    """None: it is whole."""


@dataclass(slots=True)
class Folder:
    """A folder of the view."""

    place: str | None = None
    """The folder on the disk that it shows; None: it is made up of files from elsewhere."""
    modified_at: datetime = NEVER
    """Of one that is made up."""
    files: dict[str, Leaf] = field(default_factory=dict)
    folders: dict[str, Folder] = field(default_factory=dict)
    names: Names = field(default_factory=Names)

    @property
    def is_empty(self) -> bool:
        """There is nothing in it."""
        return not self.files and not self.folders

    def find(self, parts: Iterable[str]) -> Folder | Leaf | None:
        """What is at a path below it."""
        here: Folder | Leaf = self
        for part in parts:
            if isinstance(here, Leaf):
                return None
            below = here.folders.get(part) or here.files.get(part)
            if below is None:
                return None
            here = below
        return here

    def put(self, name: str, leaf: Leaf, mark: str) -> str:
        """Show a file under this name, or one like it; returns the name."""
        shown = self.names.give(name, mark)
        self.files[shown] = leaf
        return shown

    def touch(self, at: datetime) -> None:
        """Something came into it then."""
        self.modified_at = max(self.modified_at, at)


def torrents(finished: Iterable[Finished]) -> Folder:
    """A folder for each torrent. One that has nothing to show yet keeps its name, so that no other's changes later."""
    root = Folder()
    for one in finished:
        name = root.names.give(one.name, one.infohash[:6])
        shown = tree(one.folder, {index: Leaf(f"{one.folder}/{path}") for index, path in one.whole.items()})
        if not shown.is_empty:
            root.folders[name] = shown
            root.touch(one.at)
    return root


def tree(place: str, leaves: dict[int, Leaf]) -> Folder:
    """The files of a torrent by their place in it, without the folder that holds all of them when there is one."""
    split = {index: leaf.place.removeprefix(f"{place}/").split("/") for index, leaf in leaves.items()}
    common = {parts[0] for parts in split.values() if len(parts) > 1}
    strip = len(common) == 1 and all(len(parts) > 1 for parts in split.values())
    top = Folder(f"{place}/{common.pop()}" if strip else place)
    made = {top.place: top}
    for index, parts in split.items():
        here = top
        for part in parts[strip:-1]:
            below = f"{here.place}/{part}"
            if below not in made:
                made[below] = here.folders[here.names.give(part, str(index + 1))] = Folder(below)
            here = made[below]
        here.put(parts[-1], leaves[index], str(index + 1))
    return top
