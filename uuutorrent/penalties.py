"""Sources that behaved badly, and for how long nothing is heard from them.

In the manner of OpenSSH's PerSourcePenalties: what a connection did wrong adds seconds to its source; once these are
enough, the source is refused until they are over. Source: sshd_config(5) and srclimit.c of OpenSSH 10.

A campus can be one source. So where somebody signed in lately, one person who goes on guessing shuts nobody out: no
password is looked at for a while, a minute at most, and keys sign in as ever.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NewType

from uuutorrent import config
from uuutorrent.errors import Missing, Refused
from uuutorrent.users import Admin

Source = NewType("Source", str)
"""An IPv4 address, or the /64 that an IPv6 address is in: what one person can have as many of as they like."""
Network = IPv4Network | IPv6Network

V6_PREFIX = 64
KNOWN_CAP_S = 60.0
"""How long no password is taken from where somebody signed in lately, at most. It lets nobody guess faster: each guess
adds as much as anywhere else."""


class OnlyKeys(Refused):
    """A password was not looked at, because of what others at that source did."""

    def __init__(self, left_s: float) -> None:
        super().__init__(
            "too many sign-ins failed where you connect from: no password is looked at from there for "
            f"{math.ceil(left_s)} s; use a key, or come back then"
        )
        self.left_s = left_s


class NobodyNew(OnlyKeys):
    """The same, told to somebody who wants to sign up."""

    def __init__(self, left_s: float) -> None:
        super().__init__(left_s)
        self.message = (
            f"too many sign-ins failed where you connect from: nobody can sign up from there for {math.ceil(left_s)} s"
        )


class Offence(StrEnum):
    """What a connection that came to nothing did."""

    WRONG = "wrong"
    """A wrong password, code or key."""
    UNKNOWN = "unknown"
    """A name that nobody can have. What a wrong try costs must not tell who exists, so no more is asked."""
    NO_AUTH = "no_auth"
    """It asked for nothing."""
    GRACE = "grace"
    """It took too long."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """What an offence costs, in seconds, and from which sum on a source is refused."""

    costs: Mapping[Offence, float]
    enforced_from_s: float
    cap_s: float
    known_s: float
    """Where somebody signed in within so long, only passwords are refused."""
    sources: int
    """So many are remembered; then those that were heard of longest ago are forgotten."""


@dataclass(frozen=True, slots=True)
class Penalty:
    """One source as admins see it."""

    source: Source
    left_s: float
    is_refused: bool
    is_known: bool
    """Somebody signed in there lately: what is refused is passwords."""


def source_of(address: str) -> Source:
    """Where an address counts; what is none counts by itself."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return Source(address)
    if ip.version == 4:
        return Source(str(ip))
    if ip.ipv4_mapped is not None:
        return Source(str(ip.ipv4_mapped))
    return Source(str(ip_network((ip, V6_PREFIX), strict=False)))


def tariff(settings: config.Penalties) -> Tariff:
    """The tariff as configured."""
    return Tariff(
        costs={
            Offence.WRONG: settings.wrong_s,
            Offence.UNKNOWN: settings.unknown_s,
            Offence.NO_AUTH: settings.no_auth_s,
            Offence.GRACE: settings.grace_s,
        },
        enforced_from_s=settings.enforced_from_s,
        cap_s=settings.cap_s,
        known_s=settings.known_s,
        sources=settings.sources,
    )


class Penalties:
    """All penalties, while the daemon runs. `clock` counts seconds and does not jump."""

    def __init__(
        self, tariff: Tariff, exempt: Collection[Network] = (), *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tariff = tariff
        self._clock = clock
        self._exempt = tuple(exempt)
        self._until: OrderedDict[Source, float] = OrderedDict()
        self._refused: set[Source] = set()
        self._signed_in: OrderedDict[Source, float] = OrderedDict()

    def add(self, source: Source, offence: Offence, times: int = 1, *, since_s: float = 0.0) -> None:
        """A connection from there came to nothing; so many times it did that, first so long ago."""
        now = self._clock()
        if self._is_exempt(source):
            return
        before = self._until.pop(source, now - since_s)
        if before <= now:  # what was over before starts nothing
            self._refused.discard(source)
        cap_s = min(KNOWN_CAP_S, self._tariff.cap_s) if self.knows(source) else self._tariff.cap_s
        until = min(max(before, now - since_s) + times * self._tariff.costs[offence], now + cap_s)
        self._until[source] = until
        if until - now >= self._tariff.enforced_from_s:
            self._refused.add(source)
        while len(self._until) > self._tariff.sources:
            forgotten, _ = self._until.popitem(last=False)
            self._refused.discard(forgotten)

    def left_s(self, source: Source) -> float:
        """For how long a source is still refused; 0: it is not."""
        now = self._clock()
        until = self._until.get(source, 0.0)
        if until <= now:
            self._forget(source)
            return 0.0
        return until - now if source in self._refused else 0.0

    def welcome(self, source: Source) -> None:
        """Somebody signed in from there."""
        self._signed_in.pop(source, None)
        self._signed_in[source] = self._clock()
        while len(self._signed_in) > self._tariff.sources:
            self._signed_in.popitem(last=False)

    def knows(self, source: Source) -> bool:
        """Whether somebody signed in from there lately: then only passwords are refused."""
        at = self._signed_in.get(source)
        return at is not None and self._clock() - at < self._tariff.known_s

    def check_password(self, source: Source) -> None:
        """Check that a password from there may be looked at.

        Raises:
            OnlyKeys: too many sign-ins failed there.
        """
        if (left_s := self.left_s(source)) > 0:
            raise OnlyKeys(left_s)

    def every(self, by: Admin) -> tuple[Penalty, ...]:
        """Sources with a penalty, the longest first."""
        now = self._clock()
        there = [(source, until - now) for source, until in self._until.items() if until > now]
        found = (Penalty(source, left, source in self._refused, self.knows(source)) for source, left in there)
        return tuple(sorted(found, key=lambda one: -one.left_s))

    def lift(self, by: Admin, address: str) -> Source:
        """Forget the penalty of a source, named as it is listed or by an address in it.

        Raises:
            Missing: it has none.
        """
        source = Source(address) if address in self._until else source_of(address)
        if not self._forget(source):
            raise Missing(f"{address} has no penalty")
        return source

    def _forget(self, source: Source) -> bool:
        self._refused.discard(source)
        return self._until.pop(source, None) is not None

    def _is_exempt(self, source: Source) -> bool:
        if not self._exempt:
            return False
        try:
            network = ip_network(source)
        except ValueError:
            return False
        # Not `subnet_of`: a single IPv6 address that is exempt is smaller than the source it is in.
        return any(network.overlaps(one) for one in self._exempt)
