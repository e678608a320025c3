"""How the file of an episode is called, so that media servers know it. No I/O.

`/anime/<Title>/Season 01/<Title> - S01E05 [1080p][Group].mkv`: Plex and Kodi take a number for an episode only behind
S01E, and Jellyfin takes that as well. Each of AniList's shows is a show of its own, so that its only season is the
first. A film has no season: `/anime/<Title>/<Title> [1080p][Group].mkv`.
Source: the manuals of Jellyfin, Plex and Kodi on naming television shows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from uuutorrent.releases.names import Reader
from uuutorrent.torrents.views.names import safe
from uuutorrent.torrents.views.shownames import ShowName
from uuutorrent.torrents.views.telling import Told
from uuutorrent.torrents.views.tree import Folder, Leaf

SEASON = "Season 01"
MOST_BYTES = 120
"""Of a title in the name of a file, so that the rest of the name has room."""
LONGEST_TAG = 40
_PAUSE, _JOINT, _NOTHING = re.compile(r":\s+"), re.compile(r"[:/\\|]+"), re.compile(r'[?*"<>]+')


@dataclass(frozen=True, slots=True)
class Shown:
    """An episode as it is to be shown: `paths` are the video and its subtitles in the torrent's folder."""

    show: ShowName
    told: Told
    folder: str
    """Of its torrent, beneath the download root."""
    mark: str
    """What tells two files of one name apart."""
    at: datetime
    tags: str
    """"[1080p][Group]"."""
    video: str
    subtitles: Sequence[str]

    @property
    def stem(self) -> str:
        """The name of the file without its ending."""
        numbers = "" if self.show.is_film else f" - {numbered(self.told.episodes)}"
        return f"{titled(self.show.title)}{numbers}{' ' * bool(self.tags)}{self.tags}"


def titled(title: str) -> str:
    """A title that can be part of a name: what files may not be called is said otherwise."""
    plain = _NOTHING.sub("", _JOINT.sub("-", _PAUSE.sub(" - ", title)))
    short = plain.encode()[:MOST_BYTES].decode(errors="ignore")
    return safe(" ".join(short.split()))


def numbered(episodes: Sequence[int]) -> str:
    """S01E05, or S01E05-E06 for a file that holds both."""
    first, *others = sorted(episodes)
    return f"S01E{first:02}" + "".join(f"-E{number:02}" for number in others[-1:])


def tags(path: str, torrent: str, reader: Reader) -> str:
    """What tells one release of an episode from another, as the name of the file or of its torrent says."""
    own = reader.read(path.rpartition("/")[2])
    whole = own if own.resolution and own.group else reader.read(torrent)
    height, group = own.resolution or whole.resolution, own.group or whole.group
    told = [f"{height}p" if height else "", group[:LONGEST_TAG], f"v{own.version}" if own.version > 1 else ""]
    return "".join(f"[{tag.translate({91: None, 93: None})}]" for tag in told if tag)


def place(folder: Folder, shown: Shown) -> None:
    """Show an episode in a folder: the video, and its subtitles under the same name beside it."""
    at, _, ending = shown.video.rpartition(".")
    name = folder.put(f"{shown.stem}.{ending.lower()}", Leaf(f"{shown.folder}/{shown.video}"), shown.mark)
    folder.touch(shown.at)
    stem = name.rpartition(".")[0]
    for subtitle in shown.subtitles:
        own, _, kind = subtitle.rpartition(".")
        folder.put(f"{stem}{_tongue(own, at)}.{kind.lower()}", Leaf(f"{shown.folder}/{subtitle}"), shown.mark)


def shows(every: Sequence[Shown]) -> Folder:
    """A folder for each show, with one for its only season."""
    root = Folder()
    made: dict[int, Folder] = {}
    for shown in every:
        media_id = shown.told.media_id
        if media_id not in made:
            made[media_id] = root.folders[root.names.give(titled(shown.show.title), str(media_id))] = Folder()
        top = made[media_id]
        if not shown.show.is_film and not top.folders:
            top.folders[top.names.give(SEASON, "")] = Folder()
        place(top if shown.show.is_film else next(iter(top.folders.values())), shown)
        for folder in (root, top):
            folder.touch(shown.at)
    return root


def _tongue(subtitle: str, video: str) -> str:
    """What a subtitle's name says beyond its video's, ".en"; or else its own folder's name."""
    above, _, stem = subtitle.rpartition("/")
    beside, _, base = video.rpartition("/")
    rest = stem[len(base) :].strip(" ._-[]()") if stem.lower().startswith(base.lower()) else ""
    said = rest or (above.rpartition("/")[2] if above != beside else "")
    return f".{safe(said)[:LONGEST_TAG]}" if said else ""
