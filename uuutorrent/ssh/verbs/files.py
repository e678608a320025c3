"""Verbs about files: files, cat."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from uuutorrent.automation.inbox.coverage import Coverage
from uuutorrent.errors import Conflict, Invalid
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.torrents.files import Opened
from uuutorrent.tui.figures import size

AT_ONCE = 256 * 1024
"""Bytes that are read in one go."""
Byte = Annotated[int, Parameter(name="--from", validator=Number(gte=0, lte=2**62), metavar="BYTE")]


async def files(path: str = "/", /, *, call: TheCall) -> Reply:
    """Your files, as SFTP shows them.

    Parameters
    ----------
    path
        A folder; /torrents holds one folder per torrent.
    """
    entries = await call.desk.files.list(call.desk.user, path)
    document = [
        {"name": e.name, "dir": e.is_dir, "size": e.size_bytes, "modified_at": instant(e.modified_at)} for e in entries
    ]
    rows = [
        ("" if e.is_dir else size(e.size_bytes), instant(e.modified_at) or "", e.name + "/" * e.is_dir) for e in entries
    ]
    return Reply(document, call.table(("SIZE", "MODIFIED", "NAME"), rows, empty="Nothing is here yet."))


async def cat(path: str, /, *, start: Byte = 0, call: TheCall) -> Reply:
    """Send a file's bytes to stdout, to pipe them into a player: cat "'/new/Show - S01E05.mkv'" | mpv -

    With --json the file is only described.

    Parameters
    ----------
    path
        A file, as `files` and SFTP show it.
    start
        Leave out so many bytes at the beginning.
    """
    if call.io.is_tty and not call.json:
        raise Invalid("that is a file's bytes, which no terminal can show: pipe them into a program, and leave out -t")
    opened = await call.desk.files.open(call.desk.user, path)
    entry = opened.entry
    if call.json:
        os.close(opened.fd)
    else:
        await _Sending(call, opened).run(start)
    return Reply({"name": entry.name, "size": entry.size_bytes, "modified_at": instant(entry.modified_at)})


VERBS = (Verb("files [PATH]", files), Verb("cat PATH [--from BYTE]", cat))


class _Sending:
    """A file on its way to a client's stdout, as fast as that takes it."""

    def __init__(self, call: Call, opened: Opened) -> None:
        self._call = call
        self._opened = opened
        self._serving = call.desk.serving("cat")
        self._coverage = Coverage(opened.entry.size_bytes)
        self._reading: asyncio.Future[bytes] | None = None

    async def run(self, start: int) -> None:
        """Send all from there on, unless the client goes away.

        Raises:
            Refused: the user was served all that they may be.
            Unreachable: this part of it has not arrived yet.
            Conflict: it is not as long any more as it was.
        """
        try:
            is_taken = True
            while is_taken and start < self._opened.entry.size_bytes:
                content = await self._read(start)
                is_taken = await self._call.io.send(content)
                self._serving.sent(len(content))
                self._coverage.note(start, len(content))
                start += len(content)
        finally:
            self._close()
            self._call.desk.uses.closed(self._call.desk.user, self._opened.place, self._coverage)

    async def _read(self, start: int) -> bytes:
        if self._serving.budget() <= 0:
            await self._serving.wait()
        length = min(AT_ONCE, self._opened.entry.size_bytes - start)
        if self._opened.readable is not None:
            length = await self._opened.readable.whole(start, length)
        # asyncio cannot stop the thread, so the descriptor must outlive it.
        self._reading = self._call.desk.files.read(self._opened, start, length)
        content = await asyncio.shield(self._reading)
        if not content:
            raise Conflict("It became shorter while it was read.")
        return content

    def _close(self) -> None:
        if self._reading is None or self._reading.done():
            os.close(self._opened.fd)
        else:
            self._reading.add_done_callback(lambda _: os.close(self._opened.fd))
