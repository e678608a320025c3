"""Which files of a batch are which episode of the wanted anime. No I/O.

A file's name is read by the same code as a post's on the index; what it leaves out (title, season) is taken from its
folders and from the title of the post. A file that could be something else is nobody's: rather none than a wrong one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from uuutorrent.releases.names import Reader
from uuutorrent.releases.placing import known_titles, place_all
from uuutorrent.releases.release import SURE, Kind, Release, ReleaseName, Wanted
from uuutorrent.releases.titles import shapes

MOST_READ = 4000
"""Files whose names are read; of a torrent with more of them nothing is told. The longest series have about 1200."""
LONGEST = 300
"""Characters of a name that are looked at."""

VIDEO = frozenset({"mkv", "mp4", "avi", "m4v", "mov", "webm", "ts", "m2ts", "wmv", "ogm", "mpg", "mpeg", "flv", "rmvb"})
SUBTITLES = frozenset({"ass", "ssa", "srt", "vtt", "sub", "idx", "sup", "smi", "mks"})
SOUND = frozenset({"mka", "ac3", "eac3", "dts", "flac", "aac"})
FONTS = frozenset({"ttf", "otf", "ttc", "woff"})

_EXTRAS = re.compile(
    r"(?<![^\W_])(?:extras?|bonus(?:es)?|nc(?:op|ed)s?|ops?|eds?|openings?|endings?|creditless|menus?|pvs?|cms?|previews?"
    r"|trailers?|teasers?|samples?|scans?|interviews?|making|featurettes?|commentary|ost|soundtracks?|music|recaps?"
    r"|storyboards?)(?![^\W_])",
    re.I,
)
_SPECIALS = re.compile(r"(?<![^\W_])(?:specials?|sps?|ovas?|oads?|omake|movies?|films?)(?![^\W_])", re.I)
_SPECIAL_FORMATS = ("OVA", "SPECIAL", "MOVIE", "MUSIC")
_BESIDE_THE_SHOW = re.compile(
    r"^sample(?![^\W_])|(?<![^\W_])(?:sample|commentary|storyboard|creditless|textless)[)\]]?$", re.I
)
_PLAIN = re.compile(
    r"\d+|dis[ck]|cd|bd(?:rip)?|blu|ray|bluray|dvd|web|rip|tv|series|seasons?|batch|complete|collection|episodes?|videos?"
    r"|main|anime|dub(?:bed)?|sub(?:bed)?s?|subtitles?|fonts?|dual|audio|vol(?:ume)?|part|cour|the|and|raws|eng(?:lish)?"
    r"|ass|srt|sounds?"
)
"""Words of a folder that say nothing about what its files are."""
_LANGUAGE = re.compile(r"(?<![^\W_])(?:eng(?:lish)?|dub(?:bed)?)(?![^\W_])", re.I)
_BARE = re.compile(
    r"(?:\[(?P<group>[^\]]{1,60})\][ _]*)?(?P<episode>\d{1,4})(?:v(?P<version>\d))?(?=$|[ ._\[(-])(?![._-]\d)"
)
_LEAD = r"(?:\[[^\]]{1,60}\][ _]*)?(?:S\d{1,2}[ ._-]{0,3})?(?:\d{1,2}x)?(?:Episode|EP?|#|第|[\[(])?[ ._-]{0,2}0*"


@dataclass(slots=True)
class _File:
    """One file that may hold an episode, or belongs to one that does."""

    index: int
    parts: tuple[str, ...]
    size_bytes: int
    stem: str
    ending: str
    name: ReleaseName | None = None
    """As it is to be placed; None: nothing tells what it is."""
    again: ReleaseName | None = None
    """The same under the title of its folder, where its own says too little."""
    first: int | None = None
    last: int | None = None
    is_aside: bool = False
    """In a folder of another kind than the show's own: a second version of an episode, if not something else."""

    @property
    def folder(self) -> tuple[str, ...]:
        return self.parts[:-1]


def pick(files: Sequence[tuple[str, int]], wanted: Wanted, *, title: str = "") -> dict[int, tuple[int, ...]]:
    """The files of each episode that can be told for sure, as places in `files`, by episode.

    `files` are (path, bytes), "/" between folders; `title` is the post's on the index. An episode comes with the
    subtitles and fonts that belong to it.
    """
    every = [_file(index, path, size) for index, (path, size) in enumerate(files)]
    reading = _Reading(wanted, title, every)
    told = [file for file in every if file.ending in VIDEO | SUBTITLES and reading.may_be_told(file)]
    if len(told) > MOST_READ:
        return {}
    for folder in _by_folder(told).values():
        reading.read(folder)
    _place(told, wanted)
    chosen = _chosen([file for file in told if file.ending in VIDEO])
    company = _Company(every)
    return {episode: company.of(video, episode) for episode, video in sorted(chosen.items())}


def told(episodes: Iterable[int]) -> str:
    """Numbers of episodes for people: "1-12, 14"."""
    runs: list[list[int]] = []
    for number in sorted(set(episodes)):
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)


class _Reading:
    """Reads the names of files in the light of their folders."""

    def __init__(self, wanted: Wanted, title: str, every: Sequence[_File]) -> None:
        known = known_titles(wanted)
        self._reader = Reader(known)
        self._bases = {form.base for one in known for form in shapes(one)} - {""}
        self._heads = {shapes(one.partition(":")[0])[0].base for one in known} - {""}
        self._knows_parts = any(
            form.part is not None
            for titles in (wanted.family.anime.titles, *wanted.family.others.values())
            for one in titles
            for form in shapes(one)
        )
        self._is_special = wanted.family.anime.format in _SPECIAL_FORMATS
        tops = {file.parts[0] for file in every if len(file.parts) > 1}
        self._top = next(iter(tops)) if len(tops) == 1 and all(len(file.parts) > 1 for file in every) else ""
        self._post = self._reader.read(title[:LONGEST]) if title else None
        self._folders: dict[str, ReleaseName] = {}

    def may_be_told(self, file: _File) -> bool:
        """Not one of what comes beside a show, by its folders and its own name."""
        inner = file.folder[1:] if self._top else file.folder
        if not file.size_bytes or _BESIDE_THE_SHOW.search(file.stem):
            return False
        return not any(self._holds_extras(folder) for folder in inner)

    def read(self, folder: Sequence[_File]) -> None:
        """Give each file of one folder the name it is to be placed by."""
        above = self._above(folder[0])
        context = self._context(above)
        own = [(file, self._reader.read(file.parts[-1][:LONGEST])) for file in folder]
        led = [_led(file, name) for file, name in own]
        # One number before words may be the words' own; several are a count.
        several = sum(name is not None for name in led) >= min(2, len(folder))
        is_aside = any(map(self._is_aside, folder[0].folder[1:] if self._top else folder[0].folder))
        for (file, name), lead in zip(own, led, strict=True):
            file.is_aside = is_aside
            if name.kind.is_extra:
                continue
            if self._is_whole(name) or self._is_known(name.title):
                shortened = context is not None and self._is_whole(context) and not self._is_whole(name)
                file.name = self._completed(_titled(name, context) if shortened and context else name, above)
                file.again = _titled(file.name, context) if file.name and context else None
            elif lead is not None and several and context is not None:
                file.name = self._completed(_titled(lead, context), above)

    def _holds_extras(self, folder: str) -> bool:
        name = self._folder(folder)
        if self._is_known(name.title):
            return name.kind.is_extra
        if (name.season is not None or name.episode is not None) and re.search(r"[+&]| and | with ", folder):
            return False
        return bool(_EXTRAS.search(folder)) or (bool(_SPECIALS.search(folder)) and not self._is_special)

    def _is_aside(self, folder: str) -> bool:
        title = self._folder(folder).title
        return bool(_LANGUAGE.search(folder)) or not (self._is_known(title) or _is_plain(title))

    def _above(self, file: _File) -> list[ReleaseName]:
        """What the folders say, the nearest first; last the post's own title."""
        said = [self._folder(folder) for folder in reversed(file.folder)]
        return [*said, self._post] if self._post else said

    def _context(self, above: Sequence[ReleaseName]) -> ReleaseName | None:
        """The nearest folder with a title of the family, a whole one if there is any; None above a strange one."""
        shortened = None
        for name in above:
            if self._is_whole(name):
                return name
            if self._is_known(name.title):
                shortened = shortened or name
            elif not _is_plain(name.title):
                break
        return shortened

    def _completed(self, name: ReleaseName, above: Sequence[ReleaseName]) -> ReleaseName | None:
        """With season, part, year and group from the folders, where it has none; None where they contradict it."""
        season, part = name.season, name.part
        whole = (self._post, self._folder(self._top) if self._top else None)
        for one in above:
            if one.season is not None and one.last_season is None:
                if season is not None and season != one.season:
                    return None
                season = one.season if season is None else season
            if one.part is not None and self._knows_parts:
                if part is not None and part != one.part:
                    return None
                part = one.part if part is None else part
            if one.last_season is not None or (self._is_known(one.title) and one not in whole):
                break
        group = name.group or next((one.group for one in above if one.group), "")
        height = name.resolution or next((one.resolution for one in above if one.resolution), None)
        year = name.year or next((one.year for one in above if one.year), None)
        return replace(name, season=season, part=part, year=year, group=group, resolution=height)

    def _is_whole(self, name: ReleaseName) -> bool:
        """It has a whole title of the family, in the first place or beside another."""
        return any(form.base in self._bases for title in (name.title, *name.others) for form in shapes(title))

    def _is_known(self, title: str) -> bool:
        """A title of the family, perhaps cut at its colon."""
        return bool(title) and any(form.base in self._bases | self._heads for form in shapes(title))

    def _folder(self, folder: str) -> ReleaseName:
        if folder not in self._folders:
            self._folders[folder] = self._reader.read(folder[:LONGEST])
        return self._folders[folder]


class _Company:
    """The files that belong to videos: subtitles, sound and fonts."""

    def __init__(self, every: Sequence[_File]) -> None:
        self._fonts = [file for file in every if file.ending in FONTS]
        self._folders = defaultdict[str, set[tuple[str, ...]]](set)
        """Where videos of a name are: each season may have its 01."""
        self._named = defaultdict[str, list[_File]](list)
        self._numbered = defaultdict[int, list[_File]](list)
        for file in every:
            if file.ending in VIDEO:
                self._folders[file.stem].add(file.folder)
        for file in every:
            if file.ending in SUBTITLES | SOUND:
                self._sort_in(file)

    def of(self, video: _File, episode: int) -> tuple[int, ...]:
        """The video and its company."""
        alone = len(self._folders[video.stem]) == 1
        found = [file for file in self._named[video.stem] if alone or _is_below(file, video)]
        found += [file for file in self._numbered[episode] if _is_near(file, video)]
        if any(file.ending in SUBTITLES for file in found):
            found += [file for file in self._fonts if _is_near(file, video)]
        return tuple(sorted({video.index, *(file.index for file in found)}))

    def _sort_in(self, file: _File) -> None:
        """Under the video that it is called after, as it or its folder; a subtitle of another name by its number."""
        ends = [match.start() for match in re.finditer(r"(?<=[^\W_])(?![^\W_])|$", file.stem)]
        names = [*(file.stem[:end] for end in reversed(ends)), file.stem, *(part.lower() for part in file.folder)]
        named = next((name for name in names if name in self._folders), None)
        if named is not None:
            self._named[named].append(file)
        elif file.ending in SUBTITLES and file.first is not None and file.last is not None:
            for episode in range(file.first, file.last + 1):
                self._numbered[episode].append(file)


def _is_below(file: _File, video: _File) -> bool:
    return file.folder[: len(video.folder)] == video.folder


def _is_near(file: _File, video: _File) -> bool:
    """In the video's folder, or in a folder of subtitles or fonts beside it or beside one that it is in."""
    common = len([1 for one, other in zip(file.folder, video.folder, strict=False) if one == other])
    return all(map(_is_plain, file.folder[common:]))


def _file(index: int, path: str, size: int) -> _File:
    parts = tuple("".join(c if c.isprintable() else " " for c in part) for part in path.split("/"))
    stem, dot, ending = parts[-1].rpartition(".")
    return _File(index, parts, size, (stem if dot else ending).lower(), ending.lower() if dot else "")


def _by_folder(files: Iterable[_File]) -> Mapping[tuple[str, ...], list[_File]]:
    folders = defaultdict[tuple[str, ...], list[_File]](list)
    for file in files:
        folders[file.folder].append(file)
    return folders


def _is_plain(folder: str) -> bool:
    return all(map(_PLAIN.fullmatch, re.findall(r"[^\W\d_]+|\d+", folder.lower())))


def _led(file: _File, name: ReleaseName) -> ReleaseName | None:
    """The name of a file that begins with its number, without what looks like a title: that is the episode's."""
    stem = file.parts[-1][: -len(file.ending) - 1][:LONGEST]
    if name.episode is not None:
        found = re.match(rf"{_LEAD}{name.episode}(?!\d|\.\d)", stem, re.I)
        return replace(name, title="", others=()) if found else None
    bare = _BARE.match(stem)
    if bare is None or name.fraction is not None:
        return None
    return replace(
        name,
        title="",
        others=(),
        group=bare["group"] or "",
        episode=int(bare["episode"]),
        version=int(bare["version"] or 1),
        kind=Kind.EPISODE,
    )


def _titled(name: ReleaseName, context: ReleaseName) -> ReleaseName:
    return replace(name, title=context.title, others=context.others)


def _place(files: Sequence[_File], wanted: Wanted) -> None:
    """Note which episodes each file holds, where that is sure."""
    unsure = _settled(wanted, [(file, file.name) for file in files if file.name])
    _settled(wanted, [(file, file.again) for file in unsure if file.again])


def _settled(wanted: Wanted, named: Sequence[tuple[_File, ReleaseName]]) -> list[_File]:
    """Note what is sure; the files that are likely to be the show's come back."""
    unsure = []
    places = place_all(wanted, [(_post(file), name) for file, name in named])
    for (file, _), place in zip(named, places, strict=True):
        if not place.ours or place.first is None or place.last is None:
            continue
        if place.confidence >= SURE:
            file.first, file.last = place.first, place.last
        else:
            unsure.append(file)
    return unsure


def _post(file: _File) -> Release:
    """A file as if it were a post of its own, with no post's hash: what was said of the batch was not said of it."""
    return Release(
        title=file.parts[-1], infohash=f"file {file.index}", link="", page="", size_bytes=file.size_bytes, seeders=0,
        leechers=0, downloads=0, category="", trusted=False, remake=False, posted_at=None,
    )  # fmt: skip


def _chosen(videos: Sequence[_File]) -> dict[int, _File]:
    """The one video of each episode; an episode that two different ones claim to be has none."""
    by_episode = defaultdict[int, list[_File]](list)
    for video in videos:
        if video.first is not None and video.last is not None:
            for episode in range(video.first, video.last + 1):
                by_episode[episode].append(video)
    chosen = {episode: _newest(found) for episode, found in by_episode.items()}
    return {episode: video for episode, video in chosen.items() if video is not None}


def _newest(videos: Sequence[_File]) -> _File | None:
    def rank(video: _File) -> tuple[bool, int, int, int]:
        assert video.name is not None
        narrow = (video.first or 0) - (video.last or 0)
        return not video.is_aside, narrow, video.name.resolution or 0, video.name.version

    most = max(map(rank, videos))
    best = [video for video in videos if rank(video) == most]
    kinds = {(video.folder, video.name.title, video.name.others) for video in best if video.name}
    return max(best, key=lambda video: video.size_bytes) if len(kinds) == 1 else None
