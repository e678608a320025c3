"""What the sessions of one connection share: who is there, and which doors are open to them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from uuutorrent.desk import Desk
from uuutorrent.ssh.channel import Channel
from uuutorrent.ssh.door import Door
from uuutorrent.ssh.scp import Scp
from uuutorrent.ssh.screen import OpenApp, Screen
from uuutorrent.ssh.sftp.depot import Depot
from uuutorrent.ssh.sftp.door import Sftp
from uuutorrent.ssh.stdio import Stdio
from uuutorrent.tally import Tally


class Visit(ABC):
    """Somebody in a connection. `who` is for the log."""

    def __init__(self, who: str, tally: Tally) -> None:
        self.who = who
        self.tally = tally

    @abstractmethod
    def shell(self, channel: Channel) -> Door:
        """Neither a command nor files were asked for."""

    @abstractmethod
    def command(self, channel: Channel, line: str) -> Door:
        """A verb was."""

    @abstractmethod
    def files(self, channel: Channel) -> Door:
        """Files were."""


class DeskVisit(Visit):
    """A user: every door is open. `prefix` is what they type before a verb."""

    def __init__(self, desk: Desk, prefix: str, open_app: OpenApp, depot: Depot) -> None:
        super().__init__(desk.user.name, desk.tally)
        self._desk = desk
        self._prefix = prefix
        self._open_app = open_app
        self._depot = depot

    def shell(self, channel: Channel) -> Door:
        """The screens, or help when there is no terminal to show them on."""
        info = channel.terminal
        if info is None:
            return self.command(channel, "help")
        return Screen(channel, self.tally, info, lambda terminal: self._open_app(self._desk, terminal))

    def command(self, channel: Channel, line: str) -> Door:
        """The verb; or files, as old clients of scp ask for them."""
        if line.split(maxsplit=1)[:1] == ["scp"]:
            return Scp(channel, self._desk, line)
        return Stdio(channel, self._desk, line, self._prefix)

    def files(self, channel: Channel) -> Door:
        """The user's files."""
        return Sftp(channel, self._desk, self._depot)
