"""Talking to services outside: one bounded request, one shared cache, one pace.

A `Remote` makes single requests that always end: with an answer of bounded size, or with an error a person can read,
before a deadline. `Fresh` keeps answers and lets many askers share one call. `Spacing` keeps requests apart.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import time
import zlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Generic, NoReturn, TypeVar

import httpx

from uuutorrent.errors import RemoteError, Unexpected, Unreachable
from uuutorrent.tally import Tally

DEADLINE_S = 15.0
MAX_BYTES = 4 << 20
DEFAULT_PAUSE_S = 60.0
"""How long a service that says "slow down" without saying until when is left alone."""
LONGEST_PAUSE_S = 3600.0
"""A longer Retry-After is cut to this: a wrong header must not switch a service off for days."""

K = TypeVar("K")
V = TypeVar("V")
Clock = Callable[[], float]
"""Seconds that never go backwards."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said. `headers` ignores the case of names; `body` is unpacked."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def content_type(self) -> str:
        """The media type alone, lower case: "application/json"; empty when it was not said."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Remote:
    """One service outside. When it says "slow down", every further call fails at once until the time it named."""

    def __init__(
        self, service: str, dependency: str, http: httpx.AsyncClient, tally: Tally, *, clock: Clock = time.monotonic
    ) -> None:
        self.service = service
        self._dependency = dependency
        self._http = http
        self._tally = tally
        self._clock = clock
        self._paused_until = 0.0

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: object = None,
        deadline_s: float = DEADLINE_S,
        max_bytes: int = MAX_BYTES,
        allow_status: Collection[int] = (),
        extensions: Mapping[str, object] | None = None,
    ) -> Answer:
        """Send one request and read its whole answer, all before the deadline. Redirects are not followed.

        A status of 200 to 299 or in `allow_status` is an answer; 429 never is. `extensions` go to httpx as they are.

        Raises:
            Unreachable: no answer in time, no connection, HTTP 5xx, or "slow down" (with `retry_after_s`).
            Unexpected: any other status, an answer over `max_bytes`, or an address that cannot be used.
        """
        self.check_pause()
        # Only gzip is offered, because only that is unpacked here, with a bound.
        sent = {"Accept-Encoding": "gzip", **(headers or {})}
        with self._tally.dependency(self._dependency):
            try:
                request = self._http.build_request(
                    method, url, headers=sent, content=content, json=json, extensions=dict(extensions or {})
                )
                async with asyncio.timeout(deadline_s):
                    answer = await self._fetch(request, max_bytes)
            except (TimeoutError, httpx.TimeoutException) as e:
                raise Unreachable(self.service, f"no answer in {deadline_s:.3g} s; try again later") from e
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as e:
                raise self._translated(e) from e
            return self._checked(answer, allow_status)

    def pause(self, seconds: float) -> None:
        """Let every call fail at once for so long (never shortens a longer pause)."""
        self._paused_until = max(self._paused_until, self._clock() + min(seconds, LONGEST_PAUSE_S))

    def check_pause(self) -> None:
        """Nothing, unless the service asked for a pause that is not over.

        Raises:
            Unreachable: it did, with `retry_after_s`.
        """
        if (wait_s := self._paused_until - self._clock()) > 0:
            self._say_slow_down(wait_s)

    async def _fetch(self, request: httpx.Request, max_bytes: int) -> Answer:
        response = await self._http.send(request, stream=True, follow_redirects=False)
        try:
            body = await self._body(response, max_bytes)
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers, body, str(request.url))

    async def _body(self, response: httpx.Response, max_bytes: int) -> bytes:
        # A transport may hand over an answer that is read and unpacked already (httpx.MockTransport does).
        if response.is_stream_consumed:
            return await self._plain(response.aiter_bytes(), max_bytes)
        packing = response.headers.get("content-encoding", "").lower()
        if packing in ("gzip", "x-gzip"):
            return await self._unpacked(response.aiter_raw(), max_bytes)
        if packing not in ("", "identity"):
            raise Unexpected(self.service, "it packs its answer in a way nobody asked for")
        return await self._plain(response.aiter_raw(), max_bytes)

    async def _plain(self, chunks: AsyncIterator[bytes], max_bytes: int) -> bytes:
        body = bytearray()
        async for chunk in chunks:
            body += chunk
            if len(body) > max_bytes:
                self._say_too_big(max_bytes)
        return bytes(body)

    async def _unpacked(self, chunks: AsyncIterator[bytes], max_bytes: int) -> bytes:
        # A few packed bytes can unfold to gigabytes, so no more is unfolded than may be kept.
        body, unfold, came = bytearray(), zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), False
        try:
            async for chunk in chunks:
                came = True
                body += unfold.decompress(chunk, max_bytes + 1 - len(body))
                if len(body) > max_bytes:
                    self._say_too_big(max_bytes)
        except zlib.error as e:
            raise Unexpected(self.service, "its answer cannot be unpacked") from e
        if came and not unfold.eof:
            raise Unreachable(self.service, "its answer was cut short; try again later")
        return bytes(body)

    def _checked(self, answer: Answer, allow_status: Collection[int]) -> Answer:
        status = answer.status
        asked_pause_s = _retry_after_s(answer.headers)
        if status == httpx.codes.TOO_MANY_REQUESTS or (
            status == httpx.codes.SERVICE_UNAVAILABLE and asked_pause_s is not None
        ):
            wait_s = DEFAULT_PAUSE_S if asked_pause_s is None else asked_pause_s
            self.pause(wait_s)
            self._say_slow_down(min(wait_s, LONGEST_PAUSE_S))
        if 200 <= status < 300 or status in allow_status:
            return answer
        if status >= 500:
            raise Unreachable(self.service, f"it is out of order just now (HTTP {status}); try again later")
        raise Unexpected(self.service, f"it refused the request (HTTP {status})")

    def _translated(self, e: Exception) -> RemoteError:
        if isinstance(e, httpx.InvalidURL | httpx.UnsupportedProtocol):
            return Unexpected(self.service, "its address cannot be used; check the configuration")
        if isinstance(e, httpx.ConnectError | OSError):
            return Unreachable(self.service, "it cannot be reached; try again later")
        if isinstance(e, httpx.RemoteProtocolError):
            return Unreachable(self.service, "it broke off in the middle of its answer; try again later")
        return Unreachable(self.service, "the connection to it broke; try again later")

    def _say_slow_down(self, wait_s: float) -> NoReturn:
        wait_s = max(wait_s, 1.0)
        raise Unreachable(self.service, f"it asks us to slow down; try again in {wait_s:.0f} s", retry_after_s=wait_s)

    def _say_too_big(self, max_bytes: int) -> NoReturn:
        raise Unexpected(self.service, f"its answer is larger than {max_bytes / 1024:.0f} KiB and was not read")


class Fresh(Generic[K, V]):
    """Answers kept for a while, and one call shared by all who ask for the same at the same time.

    A shared call lives as long as somebody waits for it: one waiter leaving does not end it for the others, the last
    one leaving does. Errors go to everybody who waits and are not kept. At most `entries` answers are kept.
    """

    def __init__(self, name: str, *, entries: int = 512, clock: Clock = time.monotonic) -> None:
        self._name = name
        self._entries = entries
        self._clock = clock
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._flights: dict[K, _Flight[V]] = {}

    async def get(self, key: K, ttl_s: float | Callable[[V], float], make: Callable[[], Awaitable[V]]) -> V:
        """The answer for `key` if it is younger than `ttl_s` (which may depend on it), else what `make` brings."""
        if (kept := self._kept.get(key)) is not None and self._is_fresh(kept, ttl_s):
            self._kept.move_to_end(key)
            return kept[1]
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(self._start(key, make))
        return await self._join(key, flight)

    def peek(self, key: K, ttl_s: float | Callable[[V], float] = math.inf) -> V | None:
        """The kept answer if there is one and it is younger than `ttl_s`; asks nobody."""
        kept = self._kept.get(key)
        return kept[1] if kept is not None and self._is_fresh(kept, ttl_s) else None

    def put(self, key: K, value: V, *, age_s: float = 0) -> None:
        """Keep an answer that came another way and is that old; a call under way for it does not replace it."""
        self._flights.pop(key, None)
        self._keep(key, value, age_s)

    def forget(self, key: K) -> None:
        """Ask anew next time; a call under way still answers those who wait for it, and nobody else."""
        self._flights.pop(key, None)
        self._kept.pop(key, None)

    def forget_where(self, fits: Callable[[K], bool]) -> None:
        """`forget` every key that fits."""
        for key in [key for key in {*self._kept, *self._flights} if fits(key)]:
            self.forget(key)

    def _is_fresh(self, kept: tuple[float, V], ttl_s: float | Callable[[V], float]) -> bool:
        made_at, value = kept
        return self._clock() - made_at < (ttl_s(value) if callable(ttl_s) else ttl_s)

    def _start(self, key: K, make: Callable[[], Awaitable[V]]) -> asyncio.Task[V]:
        async def call() -> V:
            return await make()

        # An empty context: the call belongs to all who wait, not to the session that happened to ask first.
        return asyncio.create_task(call(), name=f"{self._name} {key}"[:100], context=contextvars.Context())

    async def _join(self, key: K, flight: _Flight[V]) -> V:
        flight.waiting += 1
        try:
            value = await asyncio.shield(flight.task)
            if self._flights.get(key) is flight:
                self._keep(key, value)
            return value
        finally:
            flight.waiting -= 1
            if flight.task.done() or not flight.waiting:
                if self._flights.get(key) is flight:
                    del self._flights[key]
                await flight.end()

    def _keep(self, key: K, value: V, age_s: float = 0) -> None:
        self._kept[key] = (self._clock() - age_s, value)
        self._kept.move_to_end(key)
        while len(self._kept) > self._entries:
            self._kept.popitem(last=False)


class Spacing:
    """At most one request starts per gap; those who wait are served in order.

    `async with spacing:` around the request.
    """

    def __init__(self, min_gap_s: float, *, clock: Clock = time.monotonic) -> None:
        self._min_gap_s = min_gap_s
        self._clock = clock
        self._turn = asyncio.Lock()
        self._free_at = 0.0

    async def __aenter__(self) -> None:
        async with self._turn:
            # Not a booking ahead: whoever gives up while waiting takes no slot from those behind.
            await asyncio.sleep(max(0.0, self._free_at - self._clock()))
            self._free_at = self._clock() + self._min_gap_s

    async def __aexit__(self, *_: object) -> None:
        return None


@dataclass(slots=True, eq=False)
class _Flight(Generic[V]):
    task: asyncio.Task[V]
    waiting: int = 0

    async def end(self) -> None:
        """Nobody waits any more: leave no task behind, and no error that nobody looked at."""
        self.task.cancel()
        await asyncio.wait([self.task])
        if not self.task.cancelled():
            self.task.exception()


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds, from either form of the header. Source: RFC 9110, 10.2.3."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
