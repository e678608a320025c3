"""Has messages sent by `courier`, in child processes: few at once, with nothing of ours, and for a bounded time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from uuutorrent.errors import Invalid, Refused, Unreachable, UuuError
from uuutorrent.store import onlooking

log = structlog.get_logger()

DEADLINE_S = 30.0
"""For all messages that one child sends. After it the child is killed."""
AT_ONCE = 2
"""Children: each takes 40 MiB and, for a moment, a whole core. People who try out addresses never have all of them."""
MOST_TRIALS = 8
"""Addresses that wait to be tried out; each may take as long as a child is given."""
MOST_ANSWER_BYTES = 1 << 16
PROGRAM = (sys.executable, "-P", "-s", "-m", "uuutorrent.automation.channels.courier")

_ENVIRONMENT: Mapping[str, str] = {
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin:/bin",
    "PYTHONPATH": str(Path(__file__).parents[3]),
}


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of messages: how many were delivered, in order, and why the next one was not."""

    delivered: int
    trouble: UuuError | None = None


class Couriers:
    """All children that send messages."""

    def __init__(
        self, *, allow_private: bool, deadline_s: float = DEADLINE_S, program: Sequence[str] = PROGRAM
    ) -> None:
        self._allow_private = allow_private
        self._deadline_s = deadline_s
        self._program = program
        self._room = asyncio.Semaphore(AT_ONCE)
        self._trial = asyncio.Semaphore(AT_ONCE - 1)
        self._trials = 0

    async def check(self, url: str) -> str:
        """See whether messages can be sent to an address, without sending any; its name, which tells no secret.

        Raises:
            Invalid: it is no address that is taken; with `field`.
            Refused: it is on a private network.
            Unreachable: it could not be found out just now.
        """
        async with self._on_trial():
            lines = await self._ask({"url": url}, "that address")
        for line in lines:
            if "label" in line:
                return str(line["label"])
        raise _trouble(lines, "that address")

    async def send(self, url: str, messages: Sequence[tuple[str, str]], *, to: str) -> Sent:
        """Send messages, each a title and a text, up to the first that is not taken; `to` names the channel."""
        lines = await self._ask({"url": url, "messages": messages}, to)
        delivered = sum("delivered" in line for line in lines)
        return Sent(delivered, None if delivered >= len(messages) else _trouble(lines, to))

    async def try_out(self, url: str, message: tuple[str, str], *, to: str) -> Sent:
        """Send one message because somebody wants to see whether it arrives.

        Raises:
            Unreachable: too many others do just now.
        """
        async with self._on_trial():
            return await self.send(url, [message], to=to)

    @asynccontextmanager
    async def _on_trial(self) -> AsyncGenerator[None]:
        """Wait for one's turn behind the others that try something out, beside what has to be delivered."""
        if self._trials >= MOST_TRIALS:
            raise Unreachable("The courier", "too many addresses are being tried out just now; try again in a minute")
        self._trials += 1
        try:
            async with self._trial:
                yield
        finally:
            self._trials -= 1

    async def _ask(self, request: Mapping[str, Any], to: str) -> Sequence[Mapping[str, Any]]:
        """The lines that a child answers; what was missing when it ended is an error in the last of them."""
        onlooking.refuse()
        limits = {"allow_private": self._allow_private, "deadline_s": self._deadline_s}
        heard = bytearray()
        async with self._room:
            try:
                process = await self._start()
            except OSError as e:
                log.warning("a courier cannot be started", why=e.strerror)
                return ({"error": "no process can be started for it just now", "code": Unreachable.code},)
            try:
                async with asyncio.timeout(self._deadline_s):
                    await _talk(process, json.dumps({**request, **limits}).encode(), heard)
            except TimeoutError:
                late = {"error": f"it does not answer in {self._deadline_s:.0f} s", "code": Unreachable.code}
                return (*_lines(bytes(heard)), late)
            finally:
                await _end(process)
        if process.returncode:
            log.warning("a courier broke", to=to, code=process.returncode)
        return _lines(bytes(heard))

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._program,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # what plugins say there may hold the address
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
        )


async def _talk(process: asyncio.subprocess.Process, request: bytes, heard: bytearray) -> None:
    """Say what is to be done, and collect what is answered until the child ends."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a child without pipes")
    with suppress(BrokenPipeError, ConnectionResetError):  # it ended already: its answer, or none, says why
        process.stdin.write(request)
        await process.stdin.drain()
    process.stdin.close()
    while len(heard) < MOST_ANSWER_BYTES and (chunk := await process.stdout.read(4096)):
        heard += chunk
    if len(heard) < MOST_ANSWER_BYTES:
        await process.wait()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    while process.stdout is not None and await process.stdout.read(1 << 16):
        pass  # what nobody has read keeps wait() waiting for ever
    await process.wait()


def _lines(heard: bytes) -> tuple[Mapping[str, Any], ...]:
    """The whole lines of an answer."""
    found = []
    for line in heard.splitlines():
        with suppress(ValueError):
            read = json.loads(line)
            if isinstance(read, dict):
                found.append(read)
    return tuple(found)


def _trouble(lines: Sequence[Mapping[str, Any]], to: str) -> UuuError:
    said = next((line for line in lines if "error" in line), {})
    error, code = str(said.get("error", "something broke while it was sent")), said.get("code")
    if code == Invalid.code:
        return Invalid(error, field="url")
    if code == Refused.code:
        return Refused(error if error.endswith(".") else f"{to}: {error}.")
    return Unreachable(to, error)
