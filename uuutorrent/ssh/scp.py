"""The old protocol of scp, for fetching: `scp -f [-r] [-p] PATH…`, as `scp -O` and old clients start it.

The client says with a byte of 0 that it is ready. Then every file is announced by a line (C, its mode, size and name),
a folder by D and E, times by T before either; the client answers each line and each file with a byte of 0, or with 1 or
2 and a sentence. Source: OpenSSH, scp.c, `source` and `response`.
"""

from __future__ import annotations

import asyncio
import fnmatch
import os
import posixpath
import shlex

from uuutorrent.automation.inbox.coverage import Coverage
from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid, Missing, Refused, Unreachable, UuuError
from uuutorrent.ssh.channel import Channel
from uuutorrent.ssh.door import Door
from uuutorrent.torrents.files import Entry, Opened

CHUNK = 256 * 1024
LONGEST_REPLY = 4096
NOTHING_PUT = "the old scp protocol only fetches here: leave out -O to put files into /drop (OpenSSH 9 and later)"
_OK = b"\0"


class Scp(Door):
    """Sends one client the files it named."""

    kind = "sftp"

    def __init__(self, channel: Channel, desk: Desk, line: str) -> None:
        super().__init__(channel)
        self._desk = desk
        self._serving = desk.serving("scp")
        self._line = line
        self._input = bytearray()
        self._came = asyncio.Event()
        self._ended = False
        self._failed = False
        self._is_pouring = False
        """The client takes whatever comes for bytes of a file."""
        self._flags: frozenset[str] = frozenset()

    async def run(self) -> int:
        """Send everything that was named; 1 when something could not be."""
        await self._desk.check_entrance()
        self._flags, paths = _read(self._line)
        await self._hear()
        for path in paths:
            try:
                for found in await self._matching(path):
                    await self._send(found)
            except UuuError as e:
                self._complain(e)
        return 1 if self._failed else 0

    def received(self, data: bytes) -> None:
        """The client's answers."""
        self._input += data
        if len(self._input) > LONGEST_REPLY:
            self._ended = True
        self._came.set()

    def input_ended(self) -> None:
        """No more answers will come."""
        self._ended = True
        self._came.set()

    def leave(self, sentence: str) -> None:
        """A transfer goes on."""

    def lost(self) -> None:
        """Nobody takes the files."""
        self.input_ended()

    # What is sent

    async def _send(self, path: str) -> None:
        entry = await self._desk.files.stat(self._desk.user, path)
        name = entry.name.rpartition("/")[2] or "files"
        if entry.is_dir and "r" not in self._flags:
            raise Invalid(f"{path}: is a folder; fetch it with -r")
        if not entry.is_dir:
            await self._send_file(path, name)
            return
        inside = await self._desk.files.list(self._desk.user, path)
        await self._announce(entry, f"D0755 0 {name}")
        for one in inside:
            try:
                await self._send(posixpath.join(path, one.name.rpartition("/")[2]))
            except UuuError as e:
                self._complain(e)
        await self._say("E")

    async def _send_file(self, path: str, name: str) -> None:
        opened = await self._desk.files.open(self._desk.user, path)
        coverage = Coverage(opened.entry.size_bytes)
        try:
            if opened.readable is not None:
                raise Refused(f"{path} is still arriving: fetch it with sftp")
            await self._wait()
            await self._announce(opened.entry, f"C0644 {opened.entry.size_bytes} {name}")
            self._is_pouring = True
            await self._pour(opened, coverage)
            self._is_pouring = False
        finally:
            os.close(opened.fd)
            self._desk.uses.closed(self._desk.user, opened.place, coverage)
        self.channel.write(_OK)
        await self._hear()

    async def _pour(self, opened: Opened, coverage: Coverage) -> None:
        offset, size = 0, opened.entry.size_bytes
        while offset < size:
            await self.channel.writable()
            await self._wait()
            # Waited for, so that the descriptor is not closed under the thread.
            reading = self._desk.files.read(opened, offset, min(CHUNK, size - offset))
            try:
                content = await asyncio.shield(reading)
            except asyncio.CancelledError:
                await asyncio.wait({reading})
                raise
            if not content or not self.channel.is_open:
                raise _Broken("the file became shorter while it was sent")
            self.channel.write(content)
            self._serving.sent(len(content))
            coverage.note(offset, len(content))
            offset += len(content)

    async def _wait(self) -> None:
        if self._serving.budget() <= 0:
            await self._serving.wait()

    async def _announce(self, entry: Entry, line: str) -> None:
        if "p" in self._flags:
            at = int(entry.modified_at.timestamp())
            await self._say(f"T{at} 0 {at} 0")
        await self._say(line)

    async def _say(self, line: str) -> None:
        self.channel.write(f"{line}\n".encode("utf-8", "surrogateescape"))
        await self._hear()

    def _complain(self, error: UuuError) -> None:
        """Tell the client why something does not come; it goes on with the next, unless it cannot."""
        if isinstance(error, _Broken) or self._is_pouring:
            raise error
        self._failed = True
        self.channel.write(f"\1scp: {error.message}\n".encode("utf-8", "replace"))

    async def _hear(self) -> None:
        """Wait for the client's answer."""
        while not self._input and not self._ended:
            self._came.clear()
            await self._came.wait()
        if not self._input:
            raise _Broken("the client went away")
        answer = self._input.pop(0)
        if answer != 0:
            raise _Broken("the client could not take it")

    # What is meant

    async def _matching(self, path: str) -> list[str]:
        """The path itself, or what it matches as a pattern."""
        files, user = self._desk.files, self._desk.user
        try:
            await files.stat(user, path)
        except Missing:
            if not any(char in path for char in "*?["):
                raise
        else:
            return [path]
        found = ["/"]
        for part in filter(None, path.split("/")):
            further = []
            for folder in found:
                try:
                    names = [one.name.rpartition("/")[2] for one in await files.list(user, folder)]
                except (Invalid, Missing):
                    continue
                further += [posixpath.join(folder, name) for name in names if fnmatch.fnmatchcase(name, part)]
            found = further
        if not found:
            raise Missing(f"There is no {path}.")
        return found


class _Broken(Unreachable):
    """Client and server would not understand each other any more."""

    def __init__(self, why: str) -> None:
        super().__init__("scp", why)


def _read(line: str) -> tuple[frozenset[str], list[str]]:
    """The flags and paths of the line that a client starts.

    Raises:
        Refused: it wants to put something.
        Invalid: it cannot be read.
    """
    try:
        words = shlex.split(line)[1:]
    except ValueError as e:
        raise Invalid("a quote in it is not closed") from e
    flags: set[str] = set()
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word == "--":
            break
        flags |= set(word[1:])
    if "t" in flags:
        raise Refused(NOTHING_PUT)
    if "f" not in flags or not words:
        raise Invalid("give files to fetch: scp HOST:PATH .")
    return frozenset(flags), words
