"""Sources that behaved badly, and for how long nothing is heard from them.

In the manner of OpenSSH's PerSourcePenalties: what a connection did wrong adds seconds to its source; once these are
enough, the source is refused until they are over. Source: sshd_config(5) and srclimit.c of OpenSSH 10.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NewType

from uuutorrent import config
from uuutorrent.errors import Missing
from uuutorrent.users import Admin

Source = NewType("Source", str)
"""An IPv4 address, or the /64 that an IPv6 address is in: what one person can have as many of as they like."""
Network = IPv4Network | IPv6Network

V6_PREFIX = 64


class Offence(StrEnum):
    """What a connection that came to nothing did."""

    WRONG = "wrong"
    """A wrong password, code or key."""
    UNKNOWN = "unknown"
    """A name that nobody has."""
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
    sources: int
    """So many are remembered; then those that were heard of longest ago are forgotten."""


@dataclass(frozen=True, slots=True)
class Penalty:
    """One source as admins see it."""

    source: Source
    left_s: float
    is_refused: bool


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

    def add(self, source: Source, offence: Offence, times: int = 1, *, since_s: float = 0.0) -> None:
        """A connection from there came to nothing; so many times it did that, first so long ago."""
        now = self._clock()
        if self._is_exempt(source):
            return
        before = self._until.pop(source, now - since_s)
        if before <= now:  # what was over before starts nothing
            self._refused.discard(source)
        until = min(max(before, now - since_s) + times * self._tariff.costs[offence], now + self._tariff.cap_s)
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

    def every(self, by: Admin) -> tuple[Penalty, ...]:
        """Sources with a penalty, the longest first."""
        now = self._clock()
        there = [(source, until - now) for source, until in self._until.items() if until > now]
        found = (Penalty(source, left, source in self._refused) for source, left in there)
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
