"""What is in the drop folders: files in memory, bounded for each user and in all, and gone after an hour."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from uuutorrent.errors import Missing, Refused
from uuutorrent.users import UserId

KEPT = timedelta(hours=1)
"""How long a file stays after the last change to it."""
MOST_FILES = 100
"""In one user's folder; the oldest that are done make room."""
FILES_IN_MEMORY, USERS_IN_MEMORY = 2, 8
"""So many files of the largest size may one user have in memory; and so many users as much, all together."""
LONGEST_NAME = 255
"""Bytes of a name."""

ENDINGS = ".torrent, .txt or .magnet"
_WANTED = re.compile(r"\.(torrent|txt|magnets?)(?=\.|$)", re.IGNORECASE)
_COMPLETE = re.compile(r"[^.].*\.(torrent|txt|magnets?)$", re.IGNORECASE)
_RESULT = re.compile(r"\.(added|failed)\.txt$", re.IGNORECASE)


@dataclass(slots=True)
class File:
    """A file of a drop folder. `content` is emptied when it is taken to be added; `size_bytes` stays."""

    owner: UserId
    modified_at: datetime
    until: datetime
    content: bytearray = field(default_factory=bytearray)
    size_bytes: int = 0
    writers: int = 0
    is_taken: bool = False
    is_result: bool = False
    is_gone: bool = False
    """It was removed or replaced, and somebody may not know."""


class Folders:
    """Everybody's folder: a user's files by name, the oldest first."""

    def __init__(self, limit_bytes: int, now: Callable[[], datetime]) -> None:
        self.limit_bytes = limit_bytes
        self._now = now
        self._files: dict[UserId, dict[str, File]] = {}
        self._held: Counter[UserId] = Counter()
        """Bytes in memory."""

    def of(self, owner: UserId) -> Mapping[str, File]:
        """A user's files."""
        self._clear(owner)
        return self._files.get(owner, {})

    def file(self, owner: UserId, name: str) -> File:
        """One file.

        Raises:
            Missing: there is none of that name.
        """
        try:
            return self.of(owner)[name]
        except KeyError as e:
            raise Missing(f"There is no /drop/{name}.") from e

    def name_of(self, file: File) -> str:
        """What it is called; "": it is gone."""
        return next((name for name, one in self.of(file.owner).items() if one is file), "")

    def begin(self, owner: UserId, name: str) -> File:
        """An empty file, in place of one of that name.

        Raises:
            Refused: there are as many as may be, and none of them is done.
        """
        for one in tuple(self._files):
            self._clear(one)
        self.remove(owner, name)
        folder = self._files.get(owner, {})
        while len(folder) >= MOST_FILES:
            done = next((name for name, file in folder.items() if file.is_taken or file.is_result), None)
            if done is None:
                raise Refused(f"At most {MOST_FILES} files may be put into /drop at once: finish some first.")
            self.remove(owner, done)
        now = self._now()
        file = File(owner, now, now + KEPT)
        self._files.setdefault(owner, {})[name] = file
        return file

    def tell(self, owner: UserId, name: str, content: bytes) -> None:
        """Put a result there."""
        file = self.begin(owner, name)
        file.is_result, file.content, file.size_bytes = True, bytearray(content), len(content)
        self._held[owner] += len(content)

    def rename(self, file: File, name: str) -> None:
        """Give it another name, in place of a file that has it."""
        before = self.name_of(file)
        if before and before != name:
            self.remove(file.owner, name)
            self._files[file.owner][name] = self._files[file.owner].pop(before)

    def remove(self, owner: UserId, name: str) -> None:
        """Take it out, if it is there."""
        folder = self._files.get(owner, {})
        file = folder.pop(name, None)
        if file is not None:
            self.empty(file)
            file.is_gone = True
        if not folder:
            self._files.pop(owner, None)

    def write(self, file: File, offset: int, data: bytes) -> None:
        """Put a piece; what is left out before it is zeros.

        Raises:
            Refused, Missing: as `resize`.
        """
        self.resize(file, max(file.size_bytes, offset + len(data)))
        file.content[offset : offset + len(data)] = data
        file.modified_at = self._now()
        file.until = file.modified_at + KEPT

    def resize(self, file: File, size_bytes: int) -> None:
        """Make it this long.

        Raises:
            Refused: it is taken, that is too large, or there is no more room.
            Missing: it was removed meanwhile.
        """
        if file.is_gone:
            raise Missing("It was taken out of /drop meanwhile.")
        if file.is_taken or file.is_result:
            raise Refused("It is added already: put it there again under another name.")
        if size_bytes > self.limit_bytes:
            raise Refused(f"A file in /drop may have {self.limit_bytes} bytes at most.")
        more = size_bytes - file.size_bytes
        self._check_memory(file.owner, more)
        if more > 0:
            file.content += bytes(more)
        else:
            del file.content[size_bytes:]
        file.size_bytes = size_bytes
        self._held[file.owner] += more

    def empty(self, file: File) -> bytes:
        """Take its content, which is not held any more."""
        content = bytes(file.content)
        file.content = bytearray()
        self._held[file.owner] -= len(content)
        if not self._held[file.owner]:
            del self._held[file.owner]
        return content

    def _check_memory(self, owner: UserId, more: int) -> None:
        mine = self.limit_bytes * FILES_IN_MEMORY
        if more > 0 and self._held[owner] + more > mine:
            raise Refused(f"You are putting more than {mine} bytes into /drop at once: finish some first.")
        if more > 0 and self._held.total() + more > mine * USERS_IN_MEMORY:
            raise Refused("Too much is being put into drop folders just now: try again soon.")

    def _clear(self, owner: UserId) -> None:
        """Remove what has had its time."""
        now, folder = self._now(), self._files.get(owner, {})
        for name in [name for name, file in folder.items() if file.until <= now and not file.writers]:
            self.remove(owner, name)


def check_name(name: str) -> None:
    """Names that say what is taken, and those under which clients put it before they give it its own.

    Raises:
        Refused: another name.
    """
    if not _WANTED.search(name) or _RESULT.search(name):
        raise Refused(f"/drop takes files that end in {ENDINGS}, and nothing else.")
    try:
        fits = len(name.encode()) <= LONGEST_NAME and name.isprintable()
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise Refused("This name cannot be used: give it a shorter one, without control characters.")


def is_complete(name: str) -> bool:
    """Whether a file of this name is to be added: names for meanwhile have another ending, or begin with a dot."""
    return _COMPLETE.match(name) is not None


def beside(name: str, word: str) -> str:
    """The name of a result: that of what was put, as far as it fits, and how it went."""
    ending = f".{word}.txt"
    return name.encode()[: LONGEST_NAME - len(ending)].decode(errors="ignore") + ending
