"""Files for browsers: one file of one's own, whole or a part of it, by a link that a screen of the same session made.

What may be read is decided by the user's own view, as for the other file doors; what is sent counts as theirs does.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from urllib.parse import quote

from aiohttp import web

from uuutorrent.automation.inbox.coverage import Coverage
from uuutorrent.browser.links import Links
from uuutorrent.browser.sessions import BrowserSession
from uuutorrent.errors import Missing, Refused, Unreachable, UuuError
from uuutorrent.torrents.files import Opened

CHUNK = 256 * 1024
STALLED_S = 60.0
"""A client that takes no chunk for so long is hung up on; it can go on later where it was."""
MOST_AT_ONCE = 6
"""Downloads of one session at once: as many connections as a browser opens to one host."""
NO_SESSION = "Sign in first: files are fetched in the session that asked for them."
TOO_MANY = f"{MOST_AT_ONCE} downloads are running in this session: wait until one is done."
GONE = "There is no such file of yours any more."
_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_PLAIN = re.compile(r"[^A-Za-z0-9 ._()\[\]-]")

SessionOf = Callable[[web.Request], BrowserSession | None]
"""Whose request it is; None: nobody's who is signed in by now."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The part of a file that is sent: from the first byte to before the end."""

    start: int
    end: int
    is_part: bool = False


class Downloads:
    """Answers requests for files."""

    def __init__(self, session_of: SessionOf, links: Links) -> None:
        self._session_of = session_of
        self._links = links

    def routes(self) -> list[web.RouteDef]:
        """Where files are: GET, and HEAD with it."""
        return [web.get("/files/{token}/{name}", self.answer)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Send a file, or say why not. A link alone opens nothing: the cookie of its session has to come along."""
        session = self._session_of(request)
        if session is None:
            return _told(NO_SESSION, 403)
        if len(session.open) >= MOST_AT_ONCE:
            session.desk.tally.count("browser_limits", "downloads")
            return _told(TOO_MANY, 429)
        session.open.append(download := Download(request, session))
        try:
            return await download.run(await self._open(session, request))
        except UuuError as e:
            return _told(e.message, _status(e))
        finally:
            session.open.remove(download)

    async def _open(self, session: BrowserSession, request: web.Request) -> Opened:
        signed_in = session.signed_in
        user = (await session.desk.accounts.still_here([signed_in])).get(signed_in)
        if user is None:
            raise Refused(NO_SESSION)
        session.is_now(user)
        desk = session.desk
        await desk.check_entrance()
        link = self._links.follow(session.key, session.user.id, request.match_info["token"])
        path = (await desk.files.brought(desk.user, link.infohash)).get(link.index)
        if path is None:
            raise Missing(GONE)
        return await desk.files.open(desk.user, path)


class Download:
    """One file on its way, or a part of it."""

    def __init__(self, request: web.Request, session: BrowserSession) -> None:
        self._request = request
        self._session = session
        self._desk = session.desk
        self._serving = session.desk.serving("browser")

    def leave(self, sentence: str) -> None:
        """End; there is no way to tell the person in the middle of a file."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def run(self, opened: Opened) -> web.StreamResponse:
        """Send what was asked for, and close the file."""
        coverage = Coverage(opened.entry.size_bytes)
        try:
            return await self._send(opened, coverage)
        finally:
            os.close(opened.fd)
            self._desk.uses.closed(self._desk.user, opened.place, coverage)

    async def _send(self, opened: Opened, coverage: Coverage) -> web.StreamResponse:
        seen = os.fstat(opened.fd)
        headers = _headers(opened, seen)
        extent = _extent(self._request.headers, seen.st_size, headers["ETag"], headers["Last-Modified"])
        if extent is None:
            return web.Response(status=416, headers=headers | {"Content-Range": f"bytes */{seen.st_size}"})
        if extent.is_part:
            headers["Content-Range"] = f"bytes {extent.start}-{extent.end - 1}/{seen.st_size}"
        headers["Content-Length"] = str(extent.end - extent.start)
        response = web.StreamResponse(status=206 if extent.is_part else 200, headers=headers)
        if self._request.method == "HEAD":
            await response.prepare(self._request)
            return response
        await self._wait()
        await response.prepare(self._request)
        if not await self._pour(response, opened, coverage, extent):
            # The length was promised: hanging up is all that can be told by now.
            self.leave("")
        return response

    async def _pour(self, response: web.StreamResponse, opened: Opened, coverage: Coverage, extent: Extent) -> bool:
        """Whether all of it could be sent."""
        at = extent.start
        try:
            while at < extent.end:
                content = await self._read(opened, at, min(CHUNK, extent.end - at))
                async with asyncio.timeout(STALLED_S):
                    await response.write(content)
                self._serving.sent(len(content))
                coverage.note(at, len(content))
                self._session.sent += len(content)
                self._session.asked()
                at += len(content)
            await response.write_eof()
        except (UuuError, OSError):  # a client that is gone or takes nothing is an OSError, too
            return False
        return True

    async def _read(self, opened: Opened, offset: int, size: int) -> bytes:
        """So many bytes, as soon as they may be sent.

        Raises:
            UuuError: they may not be, or the file is shorter than it was.
        """
        await self._wait()
        # Waited for, so that the descriptor is not closed under the thread.
        reading = self._desk.files.read(opened, offset, size)
        try:
            content = await asyncio.shield(reading)
        except asyncio.CancelledError:
            await asyncio.wait({reading})
            raise
        if not content:
            raise Unreachable("The disk", "the file became shorter while it was sent")
        return content

    async def _wait(self) -> None:
        if self._serving.budget() <= 0:
            await self._serving.wait()


def _headers(opened: Opened, seen: os.stat_result) -> dict[str, str]:
    return {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "Content-Disposition": disposition(opened.entry.name),
        "Content-Type": "application/octet-stream",
        "ETag": f'"{seen.st_ino:x}-{seen.st_size:x}-{seen.st_mtime_ns:x}"',
        "Last-Modified": format_datetime(opened.entry.modified_at.replace(microsecond=0), usegmt=True),
        "X-Content-Type-Options": "nosniff",
    }


def disposition(name: str) -> str:
    """What has a browser save a file under its name. Source: RFC 6266, 4.3 and appendix D."""
    plain = _PLAIN.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'), safe='')}"


def _extent(headers: Mapping[str, str], size: int, tag: str, changed: str) -> Extent | None:
    """The part that is asked for; None: there is no such part. Several parts, or what cannot be read, is all of it.

    Source: RFC 9110, 13.1.5 and 14.2.
    """
    whole = Extent(0, size)
    asked = _ONE_RANGE.fullmatch(headers.get("Range", "").replace(" ", ""))
    if asked is None or headers.get("If-Range", tag) not in (tag, changed):
        return whole
    first, last = (int(number) if number else None for number in asked.groups())
    if first is None:
        if last is None:
            return whole
        return Extent(max(0, size - last), size, is_part=True) if last and size else None
    if last is not None and last < first:
        return whole
    end = size if last is None else min(last + 1, size)
    return Extent(first, end, is_part=True) if first < size else None


def _status(error: UuuError) -> int:
    if isinstance(error, Refused):
        return 403
    return 404 if isinstance(error, Missing) else 503 if isinstance(error, Unreachable) else 500


def _told(sentence: str, status: int) -> web.Response:
    return web.Response(text=sentence + "\n", status=status, headers={"Cache-Control": "no-store"})
