import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tests.clock import Clock
from uuutorrent.errors import RemoteError, Unexpected, Unreachable
from uuutorrent.remote import Remote
from uuutorrent.tally import Tally

URL = "http://service.test/"
Handler = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


class Chunks(httpx.AsyncByteStream):
    """A body that comes piece by piece, and how many pieces were taken."""

    def __init__(self, *chunks: bytes, then_hangs: bool = False) -> None:
        self.chunks = chunks
        self.then_hangs = then_hangs
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            self.taken += 1
            yield chunk
        if self.then_hangs:
            await asyncio.Event().wait()

    async def aclose(self) -> None:
        self.closed = True


class Service:
    """A service that answers as told, and a `Remote` to it."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer: Callable[[httpx.Request], httpx.Response] = lambda request: httpx.Response(200, content=b"hello")
        self.clock = Clock()
        self.tally = Tally()
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))
        self.remote = Remote("Service", "service", self.http, self.tally, clock=self.clock)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer(request)

    def says(self, status: int, **more: str) -> None:
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        self.answer = lambda request: httpx.Response(status, headers=headers)

    def streams(self, body: httpx.AsyncByteStream, **more: str) -> None:
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        self.answer = lambda request: httpx.Response(200, headers=headers, stream=body)

    def outcome(self, outcome: str) -> float:
        return self.tally.counters.get(("dependency_requests", ("service", outcome)), 0)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    made = Service()
    yield made
    await made.http.aclose()


async def test_an_answer_has_status_headers_body_and_address(service: Service) -> None:
    service.answer = lambda request: httpx.Response(
        201, headers={"Content-Type": "Application/JSON; charset=utf-8"}, content=b"{}"
    )
    answer = await service.remote.ask("POST", URL, headers={"X-A": "b"}, json={"c": 1})
    assert (answer.status, answer.body, answer.url, answer.content_type) == (201, b"{}", URL, "application/json")
    assert service.requests[0].headers["x-a"] == "b"
    assert service.requests[0].content == b'{"c":1}'
    assert service.outcome("ok") == 1


async def test_no_answer_before_the_deadline_is_unreachable_even_when_the_body_has_begun(service: Service) -> None:
    body = Chunks(b"begun", then_hangs=True)
    service.streams(body)
    with pytest.raises(Unreachable, match=r"Service: no answer in 0.02 s"):
        await service.remote.ask("GET", URL, deadline_s=0.02)
    assert body.closed
    assert service.outcome("timeout") == 1


async def test_reading_stops_when_the_body_is_over_the_bound(service: Service) -> None:
    body = Chunks(*[b"x" * 1024] * 100)
    service.streams(body)
    with pytest.raises(Unexpected, match="larger than 4 KiB"):
        await service.remote.ask("GET", URL, max_bytes=4096)
    assert body.taken == 5
    assert body.closed


async def test_a_body_of_exactly_the_bound_is_read(service: Service) -> None:
    service.streams(Chunks(b"x" * 4096))
    assert len((await service.remote.ask("GET", URL, max_bytes=4096)).body) == 4096


async def test_a_packed_body_is_unpacked(service: Service) -> None:
    packed = gzip.compress(b"hello " * 1000)
    service.streams(Chunks(packed[:10], packed[10:]), content_encoding="gzip")
    assert (await service.remote.ask("GET", URL)).body == b"hello " * 1000
    assert service.requests[0].headers["accept-encoding"] == "gzip"


async def test_a_packed_body_is_bounded_by_what_it_unfolds_to(service: Service) -> None:
    service.streams(Chunks(gzip.compress(bytes(50 << 20))), content_encoding="gzip")
    with pytest.raises(Unexpected, match="larger than 1024 KiB"):
        await service.remote.ask("GET", URL, max_bytes=1 << 20)


@pytest.mark.parametrize(
    ("body", "encoding", "error"),
    [
        (gzip.compress(b"hello", mtime=0)[:-9], "gzip", Unreachable),
        (b"not packed at all", "gzip", Unexpected),
        (b"whatever", "br", Unexpected),
    ],
)
async def test_a_body_that_cannot_be_unpacked_is_an_error(
    service: Service, body: bytes, encoding: str, error: type[RemoteError]
) -> None:
    service.streams(Chunks(body), content_encoding=encoding)
    with pytest.raises(error):
        await service.remote.ask("GET", URL)


async def test_redirects_are_not_followed(service: Service) -> None:
    service.says(302, location="http://169.254.169.254/")
    with pytest.raises(Unexpected, match="HTTP 302"):
        await service.remote.ask("GET", URL)
    answer = await service.remote.ask("GET", URL, allow_status=(302,))
    assert answer.headers["Location"] == "http://169.254.169.254/"
    assert len(service.requests) == 2


@pytest.mark.parametrize(("status", "error"), [(500, Unreachable), (503, Unreachable), (404, Unexpected)])
async def test_a_refusal_is_an_error_unless_it_is_allowed(
    service: Service, status: int, error: type[RemoteError]
) -> None:
    service.says(status)
    with pytest.raises(error, match=f"HTTP {status}"):
        await service.remote.ask("GET", URL)
    assert (await service.remote.ask("GET", URL, allow_status=(status,))).status == status


@pytest.mark.parametrize("status", [429, 503])
async def test_after_slow_down_nothing_is_asked_until_the_named_time(service: Service, status: int) -> None:
    service.says(status, retry_after="30")
    with pytest.raises(Unreachable, match="slow down; try again in 30 s") as raised:
        await service.remote.ask("GET", URL, allow_status=(429,))
    assert raised.value.retry_after_s == 30
    service.clock.move(29)
    for _ in range(10):
        with pytest.raises(Unreachable, match="try again in 1 s"):
            await service.remote.ask("GET", URL)
    assert len(service.requests) == 1
    service.clock.move(1)
    service.says(200)
    assert (await service.remote.ask("GET", URL)).status == 200
    assert service.outcome("throttled") == 1


async def test_slow_down_without_a_time_is_a_minute_and_never_longer_than_an_hour(service: Service) -> None:
    service.says(429)
    with pytest.raises(Unreachable) as unsaid:
        await service.remote.ask("GET", URL)
    service.clock.move(60)
    service.says(429, retry_after="999999")
    with pytest.raises(Unreachable) as absurd:
        await service.remote.ask("GET", URL)
    assert (unsaid.value.retry_after_s, absurd.value.retry_after_s) == (60, 3600)
    service.clock.move(3600)
    service.says(200)
    await service.remote.ask("GET", URL)


@pytest.mark.parametrize(("said", "least_s", "most_s"), [("date", 1700, 1800), ("past", 0, 1), ("soon", 59, 60)])
async def test_slow_down_may_name_a_date_or_nonsense(
    service: Service, said: str, least_s: float, most_s: float
) -> None:
    now = datetime.now(UTC)
    dates = {"date": now + timedelta(minutes=30), "past": now - timedelta(days=1)}
    service.says(429, retry_after=format_datetime(dates[said], usegmt=True) if said in dates else said)
    with pytest.raises(Unreachable) as raised:
        await service.remote.ask("GET", URL)
    assert raised.value.retry_after_s is not None
    assert least_s <= raised.value.retry_after_s <= most_s


async def test_who_cannot_be_reached_is_said_so() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        async with httpx.AsyncClient() as http:
            with pytest.raises(Unreachable, match="Service: it cannot be reached"):
                await Remote("Service", "service", http, Tally()).ask("GET", address)


@pytest.mark.parametrize("address", ["gopher://x/", "http://[/", "http://a b/", "nothing"])
async def test_an_address_that_cannot_be_used_is_said_so(address: str) -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(RemoteError):
            await Remote("Service", "service", http, Tally()).ask("GET", address)
