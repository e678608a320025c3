"""Fetching an address that a person chose: public ones only, bounded, before a deadline.

An address is resolved here, checked, and connected to as it was checked: the name is not looked up a second time, or
its owner could answer differently then.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import httpx

from uuutorrent.errors import Invalid, Unexpected, Unreachable
from uuutorrent.torrents.addresses import Resolver, allowed, resolve

DEADLINE_S = 15.0
"""For the whole fetch, redirects included."""
CONNECT_S = 5.0
"""For each address of a host that has several."""
MAX_REDIRECTS = 3
LONGEST_URL = 4096

_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "uuutorrent"}


@dataclass(frozen=True, slots=True)
class Got:
    """What an address answered, after redirects. `headers` ignores the case of names."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    host: str
    magnet: str = ""
    """It redirected to this magnet link instead."""


class Outside:
    """The only place where addresses of people's choosing are fetched."""

    def __init__(
        self, *, allow_loopback: bool = False, resolver: Resolver = resolve, tls: ssl.SSLContext | None = None
    ) -> None:
        self._allow_loopback = allow_loopback
        self._resolver = resolver
        self._tls = tls

    async def get(
        self,
        url: httpx.URL,
        *,
        what: str,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        allow_status: Collection[int] = (),
    ) -> Got:
        """Fetch an address (see `read_url`); `what` names for people what is expected there, e.g. "a feed".

        A status other than 200 is an answer only if it is in `allow_status`.

        Raises:
            Refused: the address, or one it redirects to, is not a public one.
            Unreachable: it does not answer, or asks to come later (with `retry_after_s` if it says when).
            Unexpected: another status, more than `max_bytes`, or a redirect that leads nowhere.
        """
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await self._follow(url, _HEADERS | dict(headers or {}), _Expected(what, max_bytes, allow_status))
        except TimeoutError as e:
            raise Unreachable(url.host, f"no answer in {DEADLINE_S:.0f} s") from e

    async def _follow(self, url: httpx.URL, headers: Mapping[str, str], expected: _Expected) -> Got:
        if self._tls is None:
            self._tls = await asyncio.to_thread(_trusted)
        # Proxies from the environment would look the name up once more, out of our sight.
        async with httpx.AsyncClient(
            verify=self._tls, trust_env=False, timeout=httpx.Timeout(DEADLINE_S, connect=CONNECT_S)
        ) as http:
            for _ in range(MAX_REDIRECTS + 1):
                answer = await self._ask(http, url, headers, expected)
                if isinstance(answer, Got):
                    return answer
                if answer.lower().startswith("magnet:"):
                    return Got(302, {}, b"", url.host, magnet=answer)
                url = _redirect(url, answer)
        raise Unexpected(url.host, f"more than {MAX_REDIRECTS} redirects")

    async def _ask(
        self, http: httpx.AsyncClient, url: httpx.URL, headers: Mapping[str, str], expected: _Expected
    ) -> Got | str:
        """The answer, or where it redirects to."""
        host, port = url.host, url.port or (443 if url.scheme == "https" else 80)
        addresses = allowed(host, await self._resolver(host, port), loopback=self._allow_loopback)
        try:
            response = await _send(http, url, addresses, headers)
            try:
                return await expected.take(host, response)
            finally:
                await response.aclose()
        except httpx.TimeoutException as e:
            raise Unreachable(host, "it does not answer") from e
        except httpx.TransportError as e:
            why = "its certificate is not valid for that name" if _is_tls(e) else "it cannot be reached"
            raise Unreachable(host, why) from e


def read_url(text: str, *, field: str, wanted: str) -> httpx.URL:
    """An http(s) address as it was typed; `wanted` says what to give instead of something else.

    Raises:
        Invalid: it cannot be read or used; with `field`.
    """
    try:
        if len(text) > LONGEST_URL:
            raise Invalid("This address is too long.", field=field)
        url = httpx.URL(text)
        port = 80 if url.port is None else url.port
    except (httpx.InvalidURL, UnicodeError, ValueError) as e:
        raise Invalid("This address cannot be read.", field=field) from e
    if url.scheme not in ("http", "https"):
        raise Invalid(wanted, field=field)
    if not re.fullmatch(rb"[0-9A-Za-z._:-]+", url.raw_host) or not 0 < port < 65536:
        raise Invalid("This address cannot be read.", field=field)
    if url.userinfo:
        raise Invalid("Addresses with a user name or password inside are not taken.", field=field)
    return url.copy_with(fragment=None)


@dataclass(frozen=True, slots=True)
class _Expected:
    """What an answer must look like."""

    what: str
    max_bytes: int
    allow_status: Collection[int]

    async def take(self, host: str, response: httpx.Response) -> Got | str:
        """The answer, or the address it redirects to."""
        if response.is_redirect and "location" in response.headers:
            return response.headers["location"]
        status = response.status_code
        if status in self.allow_status and status != httpx.codes.OK:
            return Got(status, response.headers, b"", host)
        if status in (408, 425, 429) or status >= 500:
            told = f"it answers {status} just now; try again later"
            raise Unreachable(host, told, retry_after_s=_retry_after_s(response.headers))
        if status != httpx.codes.OK:
            raise Unexpected(host, f"it answers {status} instead of {self.what}")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise Unexpected(host, "it answers in a compressed form that was not asked for")
        return Got(status, response.headers, await self._body(host, response), host)

    async def _body(self, host: str, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self.max_bytes:
                raise Unexpected(
                    host, f"it answers with more than {self.max_bytes >> 20} MiB, which is not {self.what}"
                )
        return bytes(body)


async def _send(
    http: httpx.AsyncClient, url: httpx.URL, addresses: Sequence[str], headers: Mapping[str, str]
) -> httpx.Response:
    """Ask the first address that takes the connection; the request and the certificate are for the name."""
    named = {**headers, "Host": url.netloc.decode("ascii")}
    extensions = {"sni_hostname": url.raw_host.decode("ascii").rstrip(".")}
    for n, address in enumerate(addresses, start=1):
        request = http.build_request("GET", url.copy_with(host=address), headers=named, extensions=extensions)
        try:
            return await http.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if n == len(addresses):
                raise
    raise Unreachable(url.host, "it has no address")


def _redirect(before: httpx.URL, location: str) -> httpx.URL:
    nowhere = "it redirects to something that is no http(s) address"
    try:
        return read_url(str(before.join(location)), field="", wanted=nowhere)
    except (Invalid, httpx.InvalidURL) as e:
        raise Unexpected(before.host, nowhere) from e


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    said = headers.get("retry-after", "").strip()
    return float(said) if said.isascii() and said.isdigit() and len(said) < 7 else None


@cache
def _trusted() -> ssl.SSLContext:
    """Reading the authorities takes as long as a hundred requests."""
    return httpx.create_ssl_context(trust_env=False)


def _is_tls(error: BaseException) -> bool:
    """Whether the failure, deep down, is the certificate's."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
