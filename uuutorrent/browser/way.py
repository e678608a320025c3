"""The way from a browser to here: who asks, through which proxies, and whether the page that asks is ours."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NoReturn

from aiohttp import web
from yarl import URL

from uuutorrent.config import Browser

Address = IPv4Address | IPv6Address

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""What this machine is called in a browser on it, or at the near end of a tunnel."""
HEADERS: Mapping[str, str] = {
    "Server": "uuutorrent",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every answer, where it does not say otherwise. How long browsers insist on TLS is for the proxy to say."""


SAME_FOR_ALL, KEPT_S = "/static/", 3600
"""What is the same for everybody, and how long a browser may keep it."""


class Way:
    """Reads what proxies and browsers say of a request, and believes no more of it than it must."""

    def __init__(self, settings: Browser) -> None:
        self._public = URL(settings.public_url) if settings.public_url else None
        self._names = {*LOOPBACK, settings.host}
        self._proxies = frozenset(map(_plain, settings.proxies))

    @property
    def is_secure(self) -> bool:
        """Whether people come over TLS, so that a cookie need never travel without."""
        return self._public is not None and self._public.scheme == "https"

    def ip_of(self, request: web.Request) -> str:
        """The address of whoever asks.

        Raises:
            web.HTTPForbidden: they did not come by the one way there is.
        """
        peer = _address(request.remote or "")
        told = request.headers.getall("X-Forwarded-For", [])
        if peer not in self._proxies:
            if self.is_secure:
                _refuse(f"come through {self._public}")
            return str(peer or "")
        if not told:
            if self.is_secure:
                _refuse("the proxy does not say who asks: it has to set X-Forwarded-For")
            return str(peer)
        # The right end is what our own proxy wrote; further left is only what its client claims.
        for one in reversed([part.strip() for header in told for part in header.split(",")]):
            address = _address(one)
            if address is None:
                _refuse("X-Forwarded-For holds something that is no address")
            if address not in self._proxies:
                return str(address)
        return str(peer)

    def is_ours(self, request: web.Request) -> bool:
        """Whether a page of ours asks. A browser says so with everything that could do something."""
        ours = self.origin(request)
        return bool(ours) and request.headers.get("Origin") == ours

    def origin(self, request: web.Request) -> str:
        """Where our pages are, for this browser; empty: nowhere that could be told from somebody else's."""
        if self._public is not None:
            return str(self._public.origin())
        try:
            here = URL(f"http://{request.host}")
            # Any name can be made to lead to this machine, and then a foreign page would be called as we are.
            return str(here.origin()) if here.host in self._names else ""
        except ValueError:  # some of it is only looked at when it is asked for
            return ""

    def websocket(self, request: web.Request, path: str) -> str:
        """The address of a websocket here."""
        return self.origin(request).replace("http", "ws", 1) + path


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put `HEADERS` on an answer that is about to be sent."""
    if request.path.startswith(SAME_FOR_ALL):
        response.headers.setdefault("Cache-Control", f"public, max-age={KEPT_S}")
    for name, value in HEADERS.items():
        if name == "Server":
            response.headers[name] = value
        else:
            response.headers.setdefault(name, value)


def _address(text: str) -> Address | None:
    try:
        return _plain(ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def _plain(address: Address) -> Address:
    """An IPv4 address as such, also where the socket is one for both."""
    return (address.version == 6 and address.ipv4_mapped) or address


def _refuse(why: str) -> NoReturn:
    raise web.HTTPForbidden(text=f"{why}\n")
