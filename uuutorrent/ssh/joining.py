"""Strangers who come to sign up: `ssh join@host` gets them the sign-up screen, and nothing else."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import asyncssh
import structlog

from uuutorrent.audit import FAILED
from uuutorrent.config import Ssh
from uuutorrent.desk import Services
from uuutorrent.errors import Invalid, Refused
from uuutorrent.penalties import Offence, Source
from uuutorrent.publickeys import PublicKey, parse
from uuutorrent.signup import JOIN, Lobby
from uuutorrent.ssh.channel import Channel
from uuutorrent.ssh.door import Door
from uuutorrent.ssh.screen import Screen
from uuutorrent.ssh.visit import Visit
from uuutorrent.tally import Tally
from uuutorrent.tui.shell import Shell
from uuutorrent.tui.terminal import Terminal

log = structlog.get_logger()

MOST, MOST_PER_SOURCE = 10, 1
"""Strangers who may be here at the same time."""
IDLE_S, STAY_S = 600.0, 1800.0
"""For how long one may do nothing, and be here at all."""
NO_SESSION_S = 60.0
"""For how long a connection stays in which nothing is open."""
WAITING_PER_SOURCE, WAITING_S = 3, 86_400.0
"""From one source so many sign up without an invitation in so long: nobody fills all the places of those who wait."""
CROWDED_THERE = "too many people signed up from your address without an invitation: come with one, or tomorrow"
BUSY = "too many people are signing up just now: try again in a few minutes"
BUSY_THERE = "somebody is signing up from your address already: try again in a few minutes"
NOTHING_ELSE = "you can only sign up here, without a command and without files"

OpenJoin = Callable[[Lobby, Terminal], Shell]
"""Makes the sign-up screen of one session."""


class Joiners:
    """The strangers who are here now: few, whatever else the limits of the port allow."""

    def __init__(self, services: Services, open_join: OpenJoin, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._open_join = open_join
        self._clock = clock
        self._here: Counter[Source] = Counter()
        self._waiting: list[tuple[float, Source]] = []
        """When and from where people signed up who wait for a yes, or did."""

    def expects(self, name: str) -> bool:
        """Whether somebody who comes with this name comes to sign up. Where nobody can, it is a name like any other."""
        return name == JOIN and self._services.signups.mode != "closed"

    def admit(self, source: Source, key: asyncssh.SSHKey | None, ip: str = "") -> Stranger:
        """Let one in, who is at `ip`; `key` is what they came with.

        Raises:
            Refused: there are as many as there may be.
        """
        services = self._services
        if sum(self._here.values()) >= MOST or self._here[source] >= MOST_PER_SOURCE:
            services.tally.count("ssh_refused", "join_limit")
            services.penalties.add(source, Offence.NO_AUTH)
            raise Refused(BUSY_THERE if self._here[source] >= MOST_PER_SOURCE else BUSY)
        limits = services.config.ssh
        lobby = Lobby(
            services.signups,
            _offered(key),
            reach=limits.reach,
            wrong_codes=limits.password_tries,
            refusal_s=limits.refusal_s,
            why_not_wait=lambda: self._why_not_wait(source),
            passwords=limits.passwords,
            ip=ip,
        )
        self._here[source] += 1
        return Stranger(lobby, LobbyVisit(lobby, services.tally, limits.reach(JOIN), self._open_join), limits, source)

    def left(self, stranger: Stranger, ip: str, port: int) -> None:
        """One is gone. Who did not get an account pays for the connection, as who does not sign in does."""
        self._here -= Counter({stranger.source: 1})
        lobby, services = stranger.lobby, self._services
        where = {"ip": ip, "port": port}
        if lobby.welcome is not None:
            if lobby.welcome.waits:
                self._waiting.append((self._clock(), stranger.source))
            services.tally.count("sign_ups", "waits" if lobby.welcome.waits else "invited")
            log.info("ssh_signed_up", **where, user=lobby.welcome.name, waits=lobby.welcome.waits)
        elif lobby.wrong_codes:
            # The line by which fail2ban bans addresses.
            log.info("ssh_auth_failed", **where, method="invitation", user=JOIN)
            services.penalties.add(stranger.source, Offence.WRONG, lobby.wrong_codes)
            wrong = f"{lobby.wrong_codes} wrong codes of invitations"
            services.audit.later(None, "sign up", outcome=FAILED, detail=wrong, source=ip)
        else:
            log.info("ssh_not_signed_up", **where, refusals=lobby.refusals)
            services.penalties.add(stranger.source, Offence.NO_AUTH, 1 + lobby.refusals)

    def _why_not_wait(self, source: Source) -> str:
        since = self._clock() - WAITING_S
        self._waiting = [(at, where) for at, where in self._waiting if at > since]
        return CROWDED_THERE if sum(where == source for _, where in self._waiting) >= WAITING_PER_SOURCE else ""


class Stranger:
    """Somebody who is nobody yet: what is open to them, and within which limits."""

    def __init__(self, lobby: Lobby, visit: Visit, limits: Ssh, source: Source) -> None:
        self.lobby = lobby
        self.visit = visit
        self.source = source
        shorter = {"channels": 1, "idle_screen_s": min(IDLE_S, limits.idle_screen_s), "idle_sftp_s": NO_SESSION_S}
        self.limits = limits.model_copy(update=shorter)


class LobbyVisit(Visit):
    """A stranger: the sign-up screen is open, and no other door."""

    def __init__(self, lobby: Lobby, tally: Tally, reach: str, open_join: OpenJoin) -> None:
        super().__init__(JOIN, tally)
        self._lobby = lobby
        self._reach = reach
        self._open_join = open_join

    def shell(self, channel: Channel) -> Door:
        """The sign-up screen, where there is a terminal to show it on."""
        info = channel.terminal
        if info is None:
            return Turned(channel, f"signing up needs a terminal: {self._reach.replace('ssh ', 'ssh -t ', 1)}")
        return Screen(channel, self.tally, info, lambda terminal: self._open_join(self._lobby, terminal))

    def command(self, channel: Channel, line: str) -> Door:
        """Not for strangers."""
        return Turned(channel, NOTHING_ELSE)

    def files(self, channel: Channel) -> Door:
        """Not for strangers."""
        return Turned(channel, NOTHING_ELSE)


class Turned(Door):
    """A door that stays closed: it says why."""

    kind = "command"

    def __init__(self, channel: Channel, sentence: str) -> None:
        super().__init__(channel)
        self._sentence = sentence

    async def run(self) -> int:
        """Say it.

        Raises:
            Refused: always.
        """
        raise Refused(self._sentence)

    def received(self, data: bytes) -> None:
        """Nobody listens."""

    def leave(self, sentence: str) -> None:
        """It is over at once anyway."""

    def lost(self) -> None:
        """It is over at once anyway."""


def _offered(key: asyncssh.SSHKey | None) -> PublicKey | None:
    """The key as it would be stored; None: there is none, or it is too weak to sign anybody in."""
    if key is None:
        return None
    try:
        return parse(key.export_public_key("openssh").decode())
    except Invalid:
        return None
