"""Which episode each whole file is: as its claim says, or else by the names of the files, where that is sure."""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId
from uuutorrent.errors import UuuError
from uuutorrent.releases.contents import SUBTITLES, VIDEO
from uuutorrent.releases.naming import Naming, Shows
from uuutorrent.remote import Clock
from uuutorrent.torrents.holdings import BY_HAND, Finished

PATIENCE_S = 2.0
"""How long a listing waits for names to be read; what is left is read for a later one."""
AGAIN_S = 600.0
"""How soon names are read again that nobody could make sense of: the user's list may have changed."""
TROUBLE_AGAIN_S = 60.0
SOON_S = 10.0
"""How soon a listing goes on with names that were left."""
MOST_KEPT = 20_000

Episodes = Mapping[int, tuple[int, ...]]
"""Files, as places in the torrent, by episode."""
Key = tuple[int, str, MediaId | None, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Told:
    """A video, what it is, and the subtitles that belong to it: places in the torrent's list."""

    media_id: MediaId
    episodes: tuple[int, ...]
    video: int
    subtitles: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    media_id: MediaId | None
    episodes: Episodes
    until: float


class Telling:
    """Tells what files are, and remembers what it made of their names."""

    def __init__(self, naming: Naming, *, clock: Clock = time.monotonic) -> None:
        self._naming = naming
        self._clock = clock
        self._read: dict[Key, _Read] = {}

    async def of(self, user: User, finished: Sequence[Finished]) -> tuple[Mapping[int, tuple[Told, ...]], float]:
        """What is told of each, by its place in `finished`; and for how many seconds that is all that can be told."""
        found = {at: told for at, one in enumerate(finished) if (told := by_claim(one))}
        unsaid = [at for at, one in enumerate(finished) if at not in found and _has_video(one)]
        fresh_s = SOON_S
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                shows = await self._shows(user, [finished[at] for at in unsaid])
                for at in unsaid:
                    if told := await self._by_name(user, finished[at], shows):
                        found[at] = told
                fresh_s = math.inf if found.keys() >= set(unsaid) else TROUBLE_AGAIN_S
        return found, fresh_s

    async def _shows(self, user: User, unsaid: Sequence[Finished]) -> Shows:
        is_needed = any(one.claim.media_id is None and not self._known(_key(user, one)) for one in unsaid)
        return await self._naming.shows(user) if is_needed else {}

    async def _by_name(self, user: User, one: Finished, shows: Shows) -> tuple[Told, ...]:
        key = _key(user, one)
        read = self._known(key)
        if read is None:
            read = await self._ask(user, one, key, shows)
            while len(self._read) >= MOST_KEPT:
                del self._read[next(iter(self._read))]
            self._read[key] = read
        return () if read.media_id is None else _told(one, {read.media_id: read.episodes})

    def _known(self, key: Key) -> _Read | None:
        read = self._read.get(key)
        return read if read and self._clock() < read.until else None

    async def _ask(self, user: User, one: Finished, key: Key, shows: Shows) -> _Read:
        try:
            found = await self._naming.tell_files(user, shows, one.name, one.whole, key[2])
        except UuuError:
            return _Read(None, {}, self._clock() + TROUBLE_AGAIN_S)
        if found is None:
            return _Read(None, {}, self._clock() + AGAIN_S)
        return _Read(*found, until=math.inf)


def by_claim(one: Finished) -> tuple[Told, ...]:
    """What the claim itself says; nothing where it does not."""
    claim = one.claim
    picked = defaultdict[MediaId, dict[int, tuple[int, ...]]](dict)
    for pick in claim.picks:
        if pick.media_id != BY_HAND:
            picked[MediaId(pick.media_id)][pick.episode] = pick.files
    if picked:
        return _told(one, picked)
    # While more is to come, the first video that is whole may be what lies beside the episode.
    videos = [index for index, path in one.whole.items() if _ending(path) in VIDEO] if one.completed_at else []
    if claim.media_id is None or claim.episode is None or len(videos) != 1:
        return ()
    return _told(one, {MediaId(claim.media_id): {claim.episode: tuple(one.whole)}})


def _told(one: Finished, episodes: Mapping[MediaId, Episodes]) -> tuple[Told, ...]:
    """One for each video; of several episodes in a file all numbers."""
    numbers = defaultdict[tuple[MediaId, int], list[int]](list)
    beside = defaultdict[tuple[MediaId, int], set[int]](set)
    for media_id, by_number in episodes.items():
        for number, files in sorted(by_number.items()):
            for video in (index for index in files if _ending(one.whole.get(index, "")) in VIDEO):
                numbers[media_id, video].append(number)
                beside[media_id, video] |= {i for i in files if _ending(one.whole.get(i, "")) in SUBTITLES}
    return tuple(
        Told(media_id, tuple(told), video, tuple(sorted(beside[media_id, video])))
        for (media_id, video), told in numbers.items()
    )


def _key(user: User, one: Finished) -> Key:
    media_id = None if one.claim.media_id is None else MediaId(one.claim.media_id)
    return user.id, one.infohash, media_id, tuple(one.whole)


def _has_video(one: Finished) -> bool:
    return any(_ending(path) in VIDEO for path in one.whole.values())


def _ending(path: str) -> str:
    return path.rpartition(".")[2].lower()
