"""What ffprobe says about a video: a child process of its own that is bounded in time, memory and what it may open."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from uuutorrent.errors import Unexpected, Unreachable

SERVICE = "ffprobe"
DEADLINE_S = 20.0
NICENESS = 10
MOST_MEMORY = 4 << 30
MOST_OUTPUT = 1 << 20
FORMATS = "matroska,mov,avi,mpegts,mpeg,flv,asf,ogg,rm"
"""Containers of videos, and nothing else: playlists, which open other files and addresses, are not among them."""
_RIGHT = bytes.fromhex(
    "1a45dfa3934282886d6174726f736b61428781024285810218538067c41549a966872ad7b1830f42401654ae6b9dae9bd781"
    "0173c581018381018687565f4d50454732e086b08110ba81101f43b67591e78100a38c810000800000000000000000"
)
"""A Matroska file with one empty picture: an ffprobe that cannot read even that says nothing about other files."""
_SHELL_SAYS = (126, 127)
"""The program could not be started. Source: nice(1)."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of a video."""

    has_picture: bool
    duration_s: float | None
    """None: it does not say."""


class FFprobe:
    """One look at a time."""

    def __init__(self, *, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._one = asyncio.Lock()

    async def look(self, file: int) -> Sight | None:
        """Look at an open file; None: it cannot be read as a video.

        Raises:
            Unreachable: ffprobe is not installed, does not work here, or does not answer in time.
            Unexpected: it says something that cannot be used.
        """
        async with self._one:
            said = await self._ask(file)
            if said is None and not await self._works():
                raise Unreachable(SERVICE, "it cannot read a video that is known to be right")
        return None if said is None else _parse(said)

    async def _works(self) -> bool:
        """Whether it can read anything here: one of another make, or without /proc, cannot."""
        right = os.memfd_create("right")
        try:
            os.write(right, _RIGHT)
            return await self._ask(right) is not None
        finally:
            os.close(right)

    async def _ask(self, file: int) -> bytes | None:
        words = _words(file)
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                pass_fds=(file,),
                start_new_session=True,
            )
        except OSError as e:
            raise Unreachable(SERVICE, f"it cannot be started: {e.strerror}") from e
        try:
            with suppress(ProcessLookupError, PermissionError):
                resource.prlimit(process.pid, resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
            async with asyncio.timeout(self._deadline_s):
                said = await _read(process)
                code = await process.wait()
        except TimeoutError as e:
            raise Unreachable(SERVICE, f"no answer in {self._deadline_s:.0f} s") from e
        finally:
            await _end(process)
        if code < 0 or code in _SHELL_SAYS:
            raise Unreachable(SERVICE, "it cannot be run, or was ended")
        return said if code == 0 else None


def installed() -> str | None:
    """Where ffprobe is; None: nowhere."""
    return shutil.which("ffprobe")


def _words(file: int) -> Sequence[str]:
    program = installed()
    if program is None:
        raise Unreachable(SERVICE, "it is not installed: apt-get install ffmpeg")
    setpriv = shutil.which("setpriv")
    return (
        *((setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()),
        *("nice", "-n", str(NICENESS)),
        *(program, "-v", "error", "-protocol_whitelist", "file", "-format_whitelist", FORMATS),
        *("-show_entries", "format=duration:stream=codec_type,duration:stream_disposition=attached_pic"),
        *("-print_format", "json", f"file:/proc/self/fd/{file}"),
    )


async def _read(process: asyncio.subprocess.Process) -> bytes:
    """All it says, up to a bound: a crafted file may have thousands of streams."""
    assert process.stdout is not None
    said = bytearray()
    while some := await process.stdout.read(1 << 16):
        said += some
        if len(said) > MOST_OUTPUT:
            raise Unexpected(SERVICE, "it says too much about this file")
    return bytes(said)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill it and whatever it started, unless it has ended."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        while process.stdout is not None and await process.stdout.read(1 << 16):
            pass  # what nobody has read keeps wait() waiting for ever
        await process.wait()


def _parse(said: bytes) -> Sight:
    try:
        answer = json.loads(said)
        streams: list[Mapping[str, Any]] = answer.get("streams", [])
        pictures = [
            stream
            for stream in streams
            if stream.get("codec_type") == "video" and not stream.get("disposition", {}).get("attached_pic")
        ]
        durations = [answer.get("format", {}).get("duration"), *(stream.get("duration") for stream in pictures)]
        known = [float(one) for one in durations if one is not None]
        return Sight(has_picture=bool(pictures), duration_s=max(known, default=None))
    except (ValueError, TypeError, AttributeError) as e:
        raise Unexpected(SERVICE, "it does not speak its language") from e
