"""Which network addresses may be reached on behalf of people: public ones, and nothing this machine can see privately.

Whoever gives an address chooses where this daemon connects to. Without this, that would include the services of this
machine, of its private network, and the cloud's metadata service with its credentials.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from uuutorrent.errors import Refused, Unreachable

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and a port to its addresses, as text."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
"""An IPv4 address in the last 32 bits. Source: RFC 6052."""
_REFUSED = tuple(
    ip_network(network)
    for network in (
        "100.64.0.0/10",  # carrier-grade NAT
        "168.63.129.16/32",  # Azure's platform, a public address by its looks
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata
        "192.88.99.0/24",  # 6to4 relays
        "2002::/16",  # 6to4
        "2001::/23",  # Teredo and other protocol assignments
        "3fff::/20",  # documentation
    )
)


_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
_METADATA = tuple(
    map(
        ip_network,
        (
            "fd00:ec2::/32",  # AWS
            "fd20:ce::/32",  # Google Cloud
            "fd00:c1::/32",  # Oracle
        ),
    )
)
"""Clouds' credentials at private addresses; those at IPv4's link-local ones are never let through anyway."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as this machine would connect to it.

    Raises:
        Unreachable: there is no such host, or no name server answers.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    except (OSError, UnicodeError) as e:
        raise Unreachable(host, "there is no such host, or its name cannot be looked up") from e
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def allowed(host: str, addresses: Sequence[str], *, loopback: bool) -> tuple[str, ...]:
    """The addresses, if every one of them may be connected to; `loopback` lets this machine's own through.

    Raises:
        Refused: one of them is private, or of this machine.
        Unreachable: there are none.
    """
    if not addresses:
        raise Unreachable(host, "there is no such host")
    for text in addresses:
        if not may_connect(text, loopback=loopback):
            raise Refused(f"{host} is on a private network; only public addresses are fetched.")
    return tuple(addresses)


def may_connect(text: str, *, loopback: bool, private: bool = False) -> bool:
    """Whether an address (a number, never a name) may be connected to.

    `loopback` lets this machine's own through, `private` those of private networks. Link-local addresses, where clouds
    keep credentials, and what is no single host's are never let through.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return False  # newer Pythons call some of them loopback
    if address.is_loopback:
        return loopback
    if private and _is_in(address, _PRIVATE):
        return not _is_in(address, _METADATA)
    if isinstance(address, IPv6Address) and address in _NAT64:
        return _is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return _is_public(address) and (loopback or not _is_this_machine(address))


def _is_in(address: IPv4Address | IPv6Address, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if _is_in(address, _REFUSED):
        return False
    if isinstance(address, IPv6Address) and (address not in _GLOBAL_UNICAST or address.scope_id):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _is_this_machine(address: IPv4Address | IPv6Address) -> bool:
    """Whether a public address is one of this machine's own: its firewall trusts connections from here."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))  # nothing is sent: it only chooses the address to send from
            return ip_address(str(probe.getsockname()[0])) == address
    except OSError:
        return False
