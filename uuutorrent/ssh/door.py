"""A door: what runs in one channel. The session tells it what happens; it runs until it is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from uuutorrent.ssh.channel import Channel

Kind = Literal["screen", "command", "sftp"]
KINDS: tuple[Kind, ...] = ("screen", "command", "sftp")
CRASHED = "something broke on the server and ended this session; it was logged"


class Door(ABC):
    """The screens, a command, or files, for one person in one channel."""

    kind: ClassVar[Kind]

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    @abstractmethod
    async def run(self) -> int:
        """Serve the person; returns the exit code."""

    @abstractmethod
    def received(self, data: bytes) -> None:
        """Bytes came from the client."""

    @abstractmethod
    def leave(self, sentence: str) -> None:
        """The server is about to stop: tell the person, and end as soon as nothing of theirs is cut off by it."""

    @abstractmethod
    def lost(self) -> None:
        """The client is gone: end."""

    def input_ended(self) -> None:  # noqa: B027 - not every door minds
        """Nothing more will come; what is written still arrives."""

    def waited_s(self, now: float) -> float:
        """For how long nothing goes on here because the client does not send what was asked of it; `now` is of the
        monotonic clock."""
        return 0.0

    def blocked(self, on: bool) -> None:  # noqa: B027 - not every door minds
        """The client stopped taking what is written, or takes it again."""

    def resized(self, width: int, height: int, width_px: int, height_px: int) -> None:  # noqa: B027 - not every door minds
        """The person's terminal has another size."""

    def says(self, sentence: str) -> bool:
        """Show what the admins say; False: there is no screen to show it on."""
        return False

    def interrupted(self) -> None:  # noqa: B027 - not every door minds
        """The person asks to stop, as Ctrl+C does."""
