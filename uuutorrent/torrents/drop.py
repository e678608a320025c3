"""The drop folder: what a user puts there is added as by `add`, and what came of it appears beside it.

Everything is in memory: what is being put until it is complete, then only its name and size; results for an hour. A
restart forgets all of it, but nothing that was added. Nobody sees another's folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from uuutorrent.accounts import User
from uuutorrent.errors import Conflict, Invalid, Missing, Refused, UuuError
from uuutorrent.torrents.dropped import File, Folders, beside, check_name, is_complete
from uuutorrent.torrents.library import Library

MOST_LINES = 100
"""In one text file."""
PATIENCE = timedelta(minutes=2)
"""What of a text file was not begun after so long is not tried."""
LONGEST_LINE = 400


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file of the folder: something that was put there, or what came of it."""

    name: str
    size_bytes: int
    modified_at: datetime


class Dropping:
    """A file that is being put: pieces may come in any order and over one another. Close it, or abandon it."""

    def __init__(self, drop: Drop, user: User, folders: Folders, file: File) -> None:
        self._drop = drop
        self._user = user
        self._folders = folders
        self._file = file
        self._is_open = True
        file.writers += 1

    @property
    def size_bytes(self) -> int:
        """So far."""
        return self._file.size_bytes

    @property
    def modified_at(self) -> datetime:
        """When it was written to, or what the client said of it."""
        return self._file.modified_at

    def write(self, offset: int, data: bytes) -> None:
        """Put a piece; what is left out before it is zeros.

        Raises:
            Refused: it becomes too large, or there is no more room.
            Missing: it was removed meanwhile.
        """
        self._folders.write(self._file, offset, data)

    def truncate(self, size_bytes: int) -> None:
        """Make it this long.

        Raises:
            Refused: that is too large, or there is no more room.
            Missing: it was removed meanwhile.
        """
        self._folders.resize(self._file, size_bytes)

    def touch(self, modified_at: datetime) -> None:
        """Show this as its time."""
        self._file.modified_at = modified_at

    async def close(self) -> None:
        """It is complete: add it, if its name says that it is to be, and write down what came of it."""
        if self._is_open:
            self._is_open = False
            self._file.writers -= 1
            await self._drop.complete(self._user, self._file)

    def abandon(self) -> None:
        """The client went away in the middle: it was never there."""
        if self._is_open:
            self._is_open = False
            self._file.writers -= 1
            if (name := self._folders.name_of(self._file)) and not self._file.is_taken:
                self._folders.remove(self._file.owner, name)


class Drop:
    """Everybody's drop folder."""

    def __init__(
        self, library: Library, limit_bytes: int, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._library = library
        self._folders = Folders(limit_bytes, now)
        self._now = now

    # Seeing

    def entries(self, user: User) -> tuple[Dropped, ...]:
        """What is in this user's folder, by name."""
        return tuple(_shown(name, file) for name, file in sorted(self._folders.of(user.id).items()))

    def entry(self, user: User, name: str) -> Dropped:
        """One file of the folder.

        Raises:
            Missing: there is none of that name.
        """
        return _shown(name, self._folders.file(user.id, name))

    def read(self, user: User, name: str) -> bytes:
        """What a result says.

        Raises:
            Missing: there is none of that name.
            Refused: it is no result.
        """
        file = self._folders.file(user.id, name)
        if not file.is_result:
            raise Refused("What is put into /drop is not given back; read the result beside it.")
        return bytes(file.content)

    # Putting

    def create(self, user: User, name: str, *, fresh: bool = True, new: bool | None = None) -> Dropping:
        """Put a file: `fresh` begins it anew; `new` wants that there is none of that name, False that there is one.

        Raises:
            Refused: it is not of a kind that is taken, or there is no room.
            Conflict: there is one, and it should be new.
            Missing: there is none, and it should not be new.
        """
        check_name(name)
        before = self._folders.of(user.id).get(name)
        if before is not None and new:
            raise Conflict(f"There is a {name} already.")
        if before is None and new is False:
            raise Missing(f"There is no /drop/{name}.")
        if before is None or fresh or before.is_taken:
            before = self._folders.begin(user.id, name)
        return Dropping(self, user, self._folders, before)

    def touch(self, user: User, name: str, modified_at: datetime) -> None:
        """Show this time for a file that was put.

        Raises:
            Missing: there is none of that name.
        """
        self._folders.file(user.id, name).modified_at = modified_at

    def truncate(self, user: User, name: str, size_bytes: int) -> None:
        """Make a file this long, if it is not taken yet. Emptying one that is taken begins it anew.

        Raises:
            Missing: there is none of that name.
            Refused: it is taken, or too large.
        """
        file = self._folders.file(user.id, name)
        if file.is_taken and not size_bytes:
            self._folders.begin(user.id, name)
        elif size_bytes != file.size_bytes:
            self._folders.resize(file, size_bytes)

    async def rename(self, user: User, old: str, new: str) -> None:
        """Give a file that was put another name; a complete name has it added.

        Raises:
            Missing: there is none of that name.
            Refused: it is a result, or the new name is not of a kind that is taken.
        """
        file = self._folders.file(user.id, old)
        if file.is_result:
            raise Refused("Results keep their names.")
        check_name(new)
        self._folders.rename(file, new)
        await self.complete(user, file)

    def remove(self, user: User, name: str) -> None:
        """Take a file out of the folder; what was added stays.

        Raises:
            Missing: there is none of that name.
        """
        self._folders.file(user.id, name)
        self._folders.remove(user.id, name)

    async def complete(self, user: User, file: File) -> None:
        """Add a file of a complete name once nobody writes to it any more. An empty one may still be filled."""
        name = self._folders.name_of(file)
        if file.writers or file.is_taken or not file.size_bytes or not is_complete(name):
            return
        file.is_taken = True
        content = self._folders.empty(file)
        lines, failed = ["It was broken off before everything was added."], True
        try:
            lines, failed = await self._add(user, name, content)
        finally:
            self._tell(user, name, lines, "failed" if failed else "added")

    async def _add(self, user: User, name: str, content: bytes) -> tuple[list[str], bool]:
        """What came of it, in lines, and whether any of it failed."""
        try:
            given = (content,) if name.lower().endswith(".torrent") else _lines(content)
        except Invalid as e:
            return [f"Failed: {e.message}"], True
        told: list[str] = []
        failed, ends_at = False, self._now() + PATIENCE
        for one in given:
            try:
                if self._now() > ends_at:
                    raise Refused("Not tried, since the others took so long: put it there again.")
                added = await self._library.add_given(user, one)
            except UuuError as e:
                failed = True
                told.append(f"Failed: {e.message}")
                told += [f"  {one}"] if isinstance(one, str) else []
            else:
                told.append(f"{'You have it already' if added.already else 'Added'}: {added.name}")
                told += [f"  {added.queued}"] if added.queued else []
        return told, failed

    def _tell(self, user: User, name: str, lines: Sequence[str], word: str) -> None:
        """Write the result beside what was put, in place of an earlier one."""
        for earlier in ("added", "failed"):
            self._folders.remove(user.id, beside(name, earlier))
        said = "".join(f"{_shortened(line)}\n" for line in lines)
        self._folders.tell(user.id, beside(name, word), said.encode(errors="replace"))


def _shown(name: str, file: File) -> Dropped:
    return Dropped(name, file.size_bytes, file.modified_at)


def _lines(content: bytes) -> tuple[str, ...]:
    """The magnets and addresses of a text file, one per line; empty lines and those that begin with # are left out.

    Raises:
        Invalid: it is no text, or holds none of them or too many.
    """
    try:
        lines = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as e:
        raise Invalid("It is not a text file of magnets, one on each line.") from e
    given = tuple(line for line in lines if line and not line.startswith("#"))
    if not given:
        raise Invalid("There is no magnet in it: put one on each line.")
    if len(given) > MOST_LINES:
        raise Invalid(f"There are more than {MOST_LINES} lines in it: divide it.")
    return given


def _shortened(text: str) -> str:
    """For a terminal: names come from outside, and a line may be as long as a file."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    return shown if len(shown) <= LONGEST_LINE else f"{shown[:LONGEST_LINE]}…"
