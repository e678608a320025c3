"""Verbs that change a torrent: pause, resume, recheck, delete, priority, sequential, limit."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Literal

from uuutorrent.accounts import User
from uuutorrent.errors import Conflict, Invalid
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.ssh.verbs.torrents import PRIORITIES, named
from uuutorrent.torrents.engine import TorrentFile
from uuutorrent.tui.figures import count, size
from uuutorrent.tui.plain import plain

Level = Literal["skip", "normal", "high", "max"]
LEVELS = {name: number for number, name in PRIORITIES.items()}
FASTEST_BPS = 2**40
MOST_RANGES = 200
"""Indexes and ranges of them in one line."""
_RANGE = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")


async def pause(infohash: str, /, *, call: TheCall) -> Reply:
    """Let a torrent stand still.

    Parameters
    ----------
    infohash
        Of one of your torrents; it may be cut short.
    """
    return await _do(call, infohash, call.desk.library.pause)


async def resume(infohash: str, /, *, call: TheCall) -> Reply:
    """Let a torrent go on.

    Parameters
    ----------
    infohash
        Of one of your torrents; it may be cut short.
    """
    return await _do(call, infohash, call.desk.library.resume)


async def recheck(infohash: str, /, *, call: TheCall) -> Reply:
    """Verify a torrent's files anew.

    Parameters
    ----------
    infohash
        Of one of your torrents; it may be cut short.
    """
    return await _do(call, infohash, call.desk.library.recheck)


async def delete(infohash: str, /, *, files: typed.Flag = False, call: TheCall) -> Reply:
    """Give up a torrent.

    Parameters
    ----------
    infohash
        Of one of your torrents; it may be cut short.
    files
        Delete its files too, unless somebody else claims it.
    """
    which = await named(call, infohash)
    said = await call.desk.library.delete(call.desk.user, which, with_files=files)
    return Reply({"infohash": which, "message": said}, plain(said))


async def priority(infohash: str, /, *files: str, to: Level, call: TheCall) -> Reply:
    """Choose which files of a torrent come, and which come first.

    Parameters
    ----------
    infohash
        Of one of your torrents; it may be cut short.
    files
        Indexes of files as `show` lists them, e.g. 0 2-5, or all.
    to
        What is skipped is not downloaded.
    """
    which = await named(call, infohash)
    listed = (await call.desk.library.details(call.desk.user, which)).files
    if not listed:
        raise Conflict("its files are not known yet: wait for the metadata")
    indexes = _indexes(files, listed)
    await call.desk.library.set_priority(call.desk.user, which, indexes, LEVELS[to])
    return Reply({"infohash": which, "files": indexes, "priority": to}, f"{count(len(indexes), 'file')}: {to}")


async def sequential(infohash: str, switch: Literal["on", "off"], /, *, call: TheCall) -> Reply:
    """Download a torrent's pieces in order, or not.

    Parameters
    ----------
    infohash
        Of one of your torrents; it may be cut short.
    """
    which = await named(call, infohash)
    await call.desk.library.set_sequential(call.desk.user, which, switch == "on")
    return Reply({"infohash": which, "sequential": switch == "on"}, f"sequential: {switch}")


async def limit(infohash: str, /, *, down: typed.Size = None, up: typed.Size = None, call: TheCall) -> Reply:
    """Limit a torrent's speed; what is not named stays.

    Parameters
    ----------
    infohash
        Of one of your torrents; it may be cut short.
    down
        Bytes per second at most, e.g. 500K or 2M; 0: no limit.
    up
        Bytes per second at most; 0: no limit.
    """
    if down is None and up is None:
        raise Invalid("say which limit: --down 2M, --up 500K, or both; 0 takes it away", field="limit")
    which = await named(call, infohash)
    now = (await call.desk.library.details(call.desk.user, which)).holding
    down_bps = now.down_limit_bps if down is None else _bps(down)
    up_bps = now.up_limit_bps if up is None else _bps(up)
    await call.desk.library.set_limits(call.desk.user, which, down_bps=down_bps, up_bps=up_bps)
    document = {"infohash": which, "down_limit_bps": down_bps, "up_limit_bps": up_bps}
    return Reply(document, f"down: {_limit(down_bps)}, up: {_limit(up_bps)}")


VERBS = (
    Verb("pause HASH", pause),
    Verb("resume HASH", resume),
    Verb("recheck HASH", recheck),
    Verb("delete HASH [--files]", delete),
    Verb("priority HASH INDEX… --to skip|normal|high|max", priority),
    Verb("sequential HASH on|off", sequential),
    Verb("limit HASH [--down SIZE] [--up SIZE]", limit),
)


async def _do(call: Call, infohash: str, verb: Callable[[User, str], Awaitable[str]]) -> Reply:
    which = await named(call, infohash)
    said = await verb(call.desk.user, which)
    return Reply({"infohash": which, "message": said}, plain(said))


def _indexes(words: Sequence[str], listed: Sequence[TorrentFile]) -> list[int]:
    there = {file.index for file in listed}
    parts = [part for word in words for part in word.split(",") if part]
    if parts == ["all"]:
        return sorted(there)
    if not 0 < len(parts) <= MOST_RANGES:
        raise Invalid("say which files: indexes as `show` lists them, e.g. 0 2-5, or all", field="files")
    return sorted({index for part in parts for index in _range(part, there)})


def _range(part: str, there: Collection[int]) -> range:
    read = _RANGE.fullmatch(part)
    if read is None:
        raise Invalid(f"{part} is no index of a file: give numbers as in 0 2-5, or all", field="files")
    first, last = int(read[1]), int(read[2] or read[1])
    if first not in there or last not in there or last < first:
        raise Invalid(f"there is no file {part}: the indexes are {min(there)} to {max(there)}", field="files")
    return range(first, last + 1)


def _bps(text: str) -> int:
    bps = typed.size(text, field="limit")
    if bps > FASTEST_BPS:
        raise Invalid("that is faster than any line: use 0 for no limit", field="limit")
    return bps


def _limit(bps: int) -> str:
    return f"{size(bps)}/s" if bps else "no limit"
