"""What a command can talk to: its output, its complaints, its input. The session gives one to each command."""

from __future__ import annotations

from typing import Protocol


class Io(Protocol):
    """One command's end of the channel."""

    width: int
    """Columns of the person's terminal; 80 without one."""
    is_tty: bool
    prefix: str
    """What to type before a verb, e.g. "ssh -p 2222 ann@seedbox"."""

    def out(self, data: bytes) -> None:
        """Write to stdout: data for scripts and people."""
        ...

    def err(self, data: bytes) -> None:
        """Write to stderr: notices and complaints."""
        ...

    async def send(self, data: bytes) -> bool:
        """Write to stdout, as it is, and wait until the client takes more; False: nobody takes anything any more."""
        ...

    async def read(self, limit: int) -> bytes:
        """All of stdin until its end.

        Raises:
            Invalid: more than `limit` bytes came, or nothing came in time.
        """
        ...
