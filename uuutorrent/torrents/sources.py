"""What people give to add a torrent: a magnet, an http(s) address of a .torrent, or its bytes.

An address is resolved here, checked, and connected to as it was checked: the name is not looked up a second time, or
its owner could answer differently then.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Sequence

import httpx

from uuutorrent.errors import Invalid, Unexpected, Unreachable
from uuutorrent.torrents.addresses import Resolver, allowed, resolve
from uuutorrent.torrents.metainfo import MAX_BYTES, Magnet, Metainfo, parse_magnet, parse_torrent

LARGEST_TORRENT = MAX_BYTES
"""Bytes of the largest .torrent taken."""
DEADLINE_S = 15.0
"""For the whole fetch, redirects included."""
CONNECT_S = 5.0
"""For each address of a host that has several."""
MAX_REDIRECTS = 3
LONGEST_URL = 4096

Source = Magnet | Metainfo
"""What can be added."""

_HEADERS = {"Accept": "application/x-bittorrent, */*", "Accept-Encoding": "identity", "User-Agent": "uuutorrent"}


class Sources:
    """Reads whatever people give. It is the only place where an address of their choosing is fetched."""

    def __init__(
        self, *, allow_loopback: bool = False, resolver: Resolver = resolve, tls: ssl.SSLContext | None = None
    ) -> None:
        self._allow_loopback = allow_loopback
        self._resolver = resolver
        self._tls = tls

    async def read(self, given: str | bytes) -> Source:
        """Understand a magnet link, the address of a .torrent, or the bytes of one.

        Raises:
            Invalid: it is none of them, or cannot be used.
            Refused: the address is not a public one.
            Unreachable: it does not answer.
            Unexpected: it answers with something else than a .torrent.
        """
        if isinstance(given, bytes):
            return await asyncio.to_thread(parse_torrent, given)
        text = given.strip()
        if text.lower().startswith("magnet:"):
            return parse_magnet(text)
        url = _url(text)
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self._fetch(url)
        except TimeoutError as e:
            raise Unreachable(url.host, f"no answer in {DEADLINE_S:.0f} s") from e

    async def _fetch(self, url: httpx.URL) -> Source:
        if self._tls is None:
            self._tls = await asyncio.to_thread(httpx.create_ssl_context, trust_env=False)
        # Proxies from the environment would look the name up once more, out of our sight.
        async with httpx.AsyncClient(
            verify=self._tls, trust_env=False, timeout=httpx.Timeout(DEADLINE_S, connect=CONNECT_S)
        ) as http:
            for _ in range(MAX_REDIRECTS + 1):
                answer = await self._ask(http, url)
                if isinstance(answer, bytes):
                    return await asyncio.to_thread(_parse, url.host, answer)
                if answer.lower().startswith("magnet:"):
                    return parse_magnet(answer)
                url = _redirect(url, answer)
        raise Unexpected(url.host, f"more than {MAX_REDIRECTS} redirects")

    async def _ask(self, http: httpx.AsyncClient, url: httpx.URL) -> bytes | str:
        """The body, or where it redirects to."""
        host, port = url.host, url.port or (443 if url.scheme == "https" else 80)
        addresses = allowed(host, await self._resolver(host, port), loopback=self._allow_loopback)
        try:
            response = await _send(http, url, addresses)
            try:
                return await _take(url.host, response)
            finally:
                await response.aclose()
        except httpx.TimeoutException as e:
            raise Unreachable(host, "it does not answer") from e
        except httpx.TransportError as e:
            why = "its certificate is not valid for that name" if _is_tls(e) else "it cannot be reached"
            raise Unreachable(host, why) from e


async def _send(http: httpx.AsyncClient, url: httpx.URL, addresses: Sequence[str]) -> httpx.Response:
    """Ask the first address that takes the connection; the request and the certificate are for the name."""
    name = url.raw_host.decode("ascii")
    headers = _HEADERS | {"Host": url.netloc.decode("ascii")}
    extensions = {"sni_hostname": name.rstrip(".")}
    for n, address in enumerate(addresses, start=1):
        request = http.build_request("GET", url.copy_with(host=address), headers=headers, extensions=extensions)
        try:
            return await http.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if n == len(addresses):
                raise
    raise Unreachable(url.host, "it has no address")


async def _take(host: str, response: httpx.Response) -> bytes | str:
    if response.is_redirect and "location" in response.headers:
        return response.headers["location"]
    if response.status_code in (408, 425, 429) or response.status_code >= 500:
        raise Unreachable(host, f"it answers {response.status_code} just now; try again later")
    if response.status_code != httpx.codes.OK:
        raise Unexpected(host, f"it answers {response.status_code} instead of a .torrent file")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unexpected(host, "it answers in a compressed form that was not asked for")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > LARGEST_TORRENT:
            raise Unexpected(host, "it answers with more than 8 MiB, which is no .torrent file")
    return bytes(body)


def _url(text: str) -> httpx.URL:
    try:
        if len(text) > LONGEST_URL:
            raise Invalid("This address is too long.", field="source")
        url = httpx.URL(text)
        port = 80 if url.port is None else url.port
    except (httpx.InvalidURL, UnicodeError, ValueError) as e:
        raise Invalid("This address cannot be read.", field="source") from e
    if url.scheme not in ("http", "https"):
        raise Invalid("Give a magnet link, or the http(s) address of a .torrent file.", field="source")
    if not re.fullmatch(rb"[0-9A-Za-z._:-]+", url.raw_host) or not 0 < port < 65536:
        raise Invalid("This address cannot be read.", field="source")
    if url.userinfo:
        raise Invalid("Addresses with a user name or password inside are not taken.", field="source")
    return url.copy_with(fragment=None)


def _redirect(before: httpx.URL, location: str) -> httpx.URL:
    try:
        return _url(str(before.join(location)))
    except (Invalid, httpx.InvalidURL) as e:
        raise Unexpected(before.host, "it redirects to something that is no http(s) address") from e


def _parse(host: str, body: bytes) -> Metainfo:
    try:
        return parse_torrent(body)
    except Invalid as e:
        raise Unexpected(host, f"what it sent cannot be used. {e.message}") from e


def _is_tls(error: BaseException) -> bool:
    """Whether the failure, deep down, is the certificate's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
