"""A command's end of its channel: stdin, stdout and stderr of one verb, with a terminal or without."""

from __future__ import annotations

import asyncio
import time

from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid
from uuutorrent.ssh import commands
from uuutorrent.ssh.channel import Channel
from uuutorrent.ssh.door import Door

READ_AHEAD = 64 * 1024
"""Input that may wait while the command does not ask for any."""
PATIENCE_S = 60.0
"""A command that waits for input gives up when nothing comes for so long."""
WIDTH = 80
INTERRUPTED = 130
"""Exit code after Ctrl+C. Source: POSIX shells, 128 + SIGINT."""

ELSEWHERE = {
    "rsync": "rsync needs a shell, and there is none here: use sftp, lftp or rclone",
    "sftp-server": "files are served as the subsystem sftp: use sftp without -s",
}
"""Programs that clients start on other servers, and what to use instead."""


class Stdio(Door):
    """Runs one command line. It is the `Io` of that command."""

    kind = "command"

    def __init__(self, channel: Channel, desk: Desk, line: str, prefix: str) -> None:
        super().__init__(channel)
        terminal = channel.terminal
        self.is_tty = terminal is not None
        self.width = terminal.size[0] if terminal else WIDTH
        self.prefix = prefix
        self._desk = desk
        self._line = line
        self._input = bytearray()
        self._ended = False
        self._reading = False
        self._reading_since: float | None = None
        self._came = asyncio.Event()
        self._task: asyncio.Task[object] | None = None
        self._interrupted = False
        self._is_lost = False

    async def run(self) -> int:
        """Run the verb; returns its exit code."""
        first = self._line.split(maxsplit=1)[0] if self._line.strip() else "help"
        program = first.rpartition("/")[2]
        if program in ELSEWHERE:
            raise Invalid(ELSEWHERE[program])
        self._task = asyncio.current_task()
        if self._interrupted and self._task is not None:
            self._task.cancel()
        try:
            return await commands.run(self._desk, self._line or "help", self)
        except asyncio.CancelledError:
            if not self._interrupted:
                raise
            return INTERRUPTED

    # Io

    def out(self, data: bytes) -> None:
        """Write to stdout."""
        self.channel.write(self._for_terminal(data))

    def err(self, data: bytes) -> None:
        """Write to stderr."""
        self.channel.write_err(self._for_terminal(data))

    async def send(self, data: bytes) -> bool:
        """Write to stdout, and wait until the client takes more."""
        self.channel.write(data)
        await self.channel.writable()
        return self.channel.is_open

    async def read(self, limit: int) -> bytes:
        """All of stdin until its end.

        Raises:
            Invalid: more than `limit` bytes came, or nothing came for a minute.
        """
        self._reading = True
        self._reading_since = time.monotonic()
        self.channel.resume_reading()
        while not self._ended and len(self._input) <= limit:
            self._came.clear()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._came.wait()
            except TimeoutError as e:
                raise Invalid(f"nothing came on stdin for {PATIENCE_S:.0f} s", field="stdin") from e
        self._reading_since = None
        if self._is_lost:
            raise Invalid("the connection was lost before all of stdin came", field="stdin")
        if len(self._input) > limit:
            raise Invalid(f"that is too much input: at most {limit} bytes are taken here", field="stdin")
        return bytes(self._input)

    # Door

    def received(self, data: bytes) -> None:
        """Keep input for `read`; a terminal's Ctrl+C and Ctrl+D are meant for us, since no tty stands between."""
        if self.is_tty:
            if b"\x03" in data:
                self.interrupted()
                return
            data, ended, _ = data.replace(b"\r", b"\n").partition(b"\x04")
            if ended:
                self._ended = True
        self._input += data
        self._came.set()
        if len(self._input) > READ_AHEAD and not self._reading:
            self.channel.pause_reading()

    def waited_s(self, now: float) -> float:
        """A command that reads its input does nothing else, however slowly that comes."""
        return now - self._reading_since if self._reading_since is not None else 0.0

    def input_ended(self) -> None:
        """Stdin is at its end."""
        self._ended = True
        self._came.set()

    def interrupted(self) -> None:
        """Stop the command; it exits as an interrupted program does."""
        if self._task is not None and not self._interrupted:
            self._task.cancel()
        self._interrupted = True

    def leave(self, sentence: str) -> None:
        """A command is soon done; it is told only when it is not."""

    def lost(self) -> None:
        """Nobody waits for the answer any more. What is half done may still be finished; half an input is none."""
        self._is_lost = True
        self.input_ended()

    def _for_terminal(self, data: bytes) -> bytes:
        return data.replace(b"\n", b"\r\n") if self.is_tty else data
