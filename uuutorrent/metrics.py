"""The side port for Prometheus: /metrics, /livez and /readyz, from a registry of our own.

`/metrics` is made when it is scraped, from the tally and from what the services hold at that moment. The answers are
written on the daemon's own event loop, so that a stuck loop shows as a missing answer.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import accumulate

import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from uuutorrent import config
from uuutorrent.automation.health.health import Verdict
from uuutorrent.automation.upkeep.traffic import KINDS
from uuutorrent.desk import Services
from uuutorrent.errors import BadConfig, Unreachable, UuuError
from uuutorrent.tally import FAMILIES, Distribution, Family, Tally
from uuutorrent.torrents.engine import Phase

log = structlog.get_logger()

PREFIX = "uuutorrent_"
REQUEST_DEADLINE_S = 10.0
"""For a whole request and its answer."""
READY_DEADLINE_S = 5.0
LARGEST_REQUEST = 8192
LAG_SAMPLE_S = 0.5
TEXT = "text/plain; charset=utf-8"

DOWNLOADS = "Downloads, and what else is not well, by how they do; only where this daemon is the one that looks."

Gauges = Callable[[], Mapping[str, float]]
"""What is open by kind, as the SSH door counts it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back for one request."""

    status: int
    body: bytes
    kind: str = TEXT

    def head(self) -> bytes:
        """Status line and headers. HTTP/1.1, one request per connection."""
        phrase = _PHRASES[self.status]
        allow = "Allow: GET, HEAD\r\n" if self.status == 405 else ""
        return (
            f"HTTP/1.1 {self.status} {phrase}\r\nContent-Type: {self.kind}\r\n"
            f"Content-Length: {len(self.body)}\r\n{allow}Connection: close\r\n\r\n"
        ).encode()


_PHRASES = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_NOT_THERE = Answer(404, b"there are /metrics, /livez and /readyz\n")
_NOT_SO = Answer(405, b"only GET and HEAD\n")
_NOT_HTTP = Answer(400, b"this is not a request of HTTP/1\n")
_TOO_LARGE = Answer(431, b"the request is too large\n")
_BROKEN = Answer(500, b"something broke; it was logged\n")

Page = Callable[[], Awaitable[Answer]]


class ServiceCollector(Collector):
    """Turns the tally and the services' present state into families. No label can be chosen by a client."""

    def __init__(
        self, services: Services, sessions: Gauges, connections: Gauges, browsers: Callable[[], float] = lambda: 0
    ) -> None:
        self._services = services
        self._browsers = browsers
        self._sessions = sessions
        self._connections = connections

    def collect(self) -> Iterable[Metric]:
        """Everything, as of now."""
        yield from _tallied(self._services.tally)
        yield from self._torrents()
        yield from self._disk_and_line()
        build = GaugeMetricFamily(f"{PREFIX}build_info", "The running version.", labels=("version",))
        build.add_metric((version("uuutorrent"),), 1)
        yield build
        open_sessions = GaugeMetricFamily(f"{PREFIX}sessions_open", "Sessions open now.", labels=("kind",))
        for kind, number in self._sessions().items():
            open_sessions.add_metric((kind,), number)
        yield open_sessions
        open_connections = GaugeMetricFamily(
            f"{PREFIX}ssh_connections", "Connections open now, by how far they are.", labels=("state",)
        )
        for state, number in self._connections().items():
            open_connections.add_metric((state,), number)
        yield open_connections
        yield GaugeMetricFamily(f"{PREFIX}browser_sessions", "Browsers that are signed in.", value=self._browsers())

    def _torrents(self) -> Iterable[Metric]:
        snapshot = self._services.live.snapshot
        yield GaugeMetricFamily(f"{PREFIX}engine_up", "Whether qBittorrent answers.", value=snapshot.engine_up)
        by_phase = Counter(torrent.phase for torrent in snapshot.torrents)
        torrents = GaugeMetricFamily(f"{PREFIX}torrents", "Torrents by phase.", labels=("phase",))
        for phase in Phase:
            torrents.add_metric((phase.value,), by_phase[phase])
        yield torrents
        by_verdict = self._services.observations.verdicts
        downloads = GaugeMetricFamily(f"{PREFIX}downloads", DOWNLOADS, labels=("verdict",))
        for verdict in Verdict:
            downloads.add_metric((verdict.value,), by_verdict.get(verdict, 0))
        yield downloads
        rates = {
            "down": sum(torrent.down_bps for torrent in snapshot.torrents),
            "up": sum(torrent.up_bps for torrent in snapshot.torrents),
        }
        rate = GaugeMetricFamily(f"{PREFIX}torrent_bytes_per_second", "Traffic of all torrents.", labels=("direction",))
        for direction, bps in rates.items():
            rate.add_metric((direction,), bps)
        yield rate

    def _disk_and_line(self) -> Iterable[Metric]:
        halted = self._services.library.panic.halt is not None
        yield GaugeMetricFamily(f"{PREFIX}paused", "Whether an admin paused everything.", value=halted)
        guarded, found, month = (
            self._services.upkeep.guarded,
            self._services.library.orphans.last,
            self._services.traffic.last,
        )
        free = GaugeMetricFamily(f"{PREFIX}disk_free_bytes", "Free on the disk of the downloads, if it can be told.")
        if guarded is not None:
            free.add_metric((), guarded.disk.free_bytes)
        yield free
        waiting = 0 if guarded is None else len(guarded.waiting)
        yield GaugeMetricFamily(
            f"{PREFIX}downloads_waiting", "Downloads that wait for room on the disk.", value=waiting
        )
        orphans = GaugeMetricFamily(
            f"{PREFIX}orphans", "What belongs to nobody: files and torrents, found once an hour.", labels=("kind",)
        )
        for kind in ("files", "kept", "torrents", "others"):
            orphans.add_metric((kind,), len(getattr(found, kind)) if found else 0)
        yield orphans
        egress = GaugeMetricFamily(f"{PREFIX}egress_bytes", "What left the machine this month (UTC).", labels=("kind",))
        for kind in KINDS:
            egress.add_metric((kind,), month.by_kind.get(kind, 0))
        yield egress
        budget = self._services.config.upkeep.egress_bytes
        yield GaugeMetricFamily(
            f"{PREFIX}egress_budget_bytes", "What may leave it in a month; 0: no limit.", value=budget
        )


def registry(
    services: Services, sessions: Gauges, connections: Gauges, browsers: Callable[[], float] = lambda: 0
) -> CollectorRegistry:
    """Our figures and the process's own, apart from the library's global registry."""
    own = CollectorRegistry(auto_describe=False)
    own.register(ServiceCollector(services, sessions, connections, browsers))
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=own)
    return own


async def sample_lag(tally: Tally) -> None:
    """Measure, for ever, how late the event loop runs a timer."""
    while True:
        due = time.perf_counter() + LAG_SAMPLE_S
        await asyncio.sleep(LAG_SAMPLE_S)
        tally.observe("event_loop_lag_seconds", max(0.0, time.perf_counter() - due))


@asynccontextmanager
async def serve(
    settings: config.Metrics,
    services: Services,
    *,
    sessions: Gauges,
    connections: Gauges,
    ready: Callable[[], Awaitable[None]],
    browsers: Callable[[], float] = lambda: 0,
) -> AsyncGenerator[int]:
    """Answer on the side port while the context is open; yields the port in use.

    `ready` raises an error of the tree while the daemon cannot do its work.

    Raises:
        BadConfig: the address cannot be listened on.
    """
    door = _Door(_pages(registry(services, sessions, connections, browsers), ready))
    try:
        server = await asyncio.start_server(door.answer, settings.host, settings.port, limit=LARGEST_REQUEST)
    except OSError as e:
        raise BadConfig.no_port("metrics", settings.host, settings.port, e) from e
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await door.close()


class _Door:
    """Answers one request per connection, and ends those that take too long."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self._pages = pages
        self._answering: set[asyncio.Task[None]] = set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._answering.add(task)
        try:
            async with asyncio.timeout(REQUEST_DEADLINE_S):
                writer.write(await self._reply(reader))
                writer.close()
                await writer.wait_closed()
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
            pass  # the asker went away, or never asked
        finally:
            writer.transport.abort()
            self._answering.discard(task)

    async def close(self) -> None:
        """End what is going on."""
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    async def _reply(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            return _whole(_TOO_LARGE)
        match head.split(b"\r\n", 1)[0].decode("latin-1").split(" "):
            case [method, target, protocol] if protocol.startswith("HTTP/1."):
                answer = await self._answer_to(method, target.partition("?")[0])
                return answer.head() if method == "HEAD" else _whole(answer)
        return _whole(_NOT_HTTP)

    async def _answer_to(self, method: str, path: str) -> Answer:
        if method not in ("GET", "HEAD"):
            return _NOT_SO
        page = self._pages.get(path)
        try:
            return await page() if page else _NOT_THERE
        except Exception:  # the outermost handler of this door
            log.exception("side_port_crashed", path=path)
            return _BROKEN


def _pages(own: CollectorRegistry, ready: Callable[[], Awaitable[None]]) -> Mapping[str, Page]:
    async def metrics() -> Answer:
        return Answer(200, generate_latest(own), CONTENT_TYPE_PLAIN_0_0_4)

    async def alive() -> Answer:
        return Answer(200, b"alive\n")

    async def readiness() -> Answer:
        try:
            async with asyncio.timeout(READY_DEADLINE_S):
                await ready()
        except UuuError as e:
            return Answer(503, f"{e.message}\n".encode())
        except TimeoutError:
            late = Unreachable("the database", f"no answer in {READY_DEADLINE_S:.0f} s")
            return Answer(503, f"{late.message}\n".encode())
        return Answer(200, b"ready\n")

    return {"/metrics": metrics, "/livez": alive, "/readyz": readiness}


def _tallied(tally: Tally) -> Iterable[Metric]:
    for name, family in FAMILIES.items():
        yield _distribution(tally, name, family) if family.buckets else _counter(tally, name, family)


def _counter(tally: Tally, name: str, family: Family) -> Metric:
    """A counter with all its series from the start: a rate over one that only now appears would miss its first step."""
    totals = dict.fromkeys(family.combinations, 0.0)
    for (of, labels), number in tally.counters.items():
        if of == name:
            known = family.known(labels)
            totals[known] = totals.get(known, 0.0) + number
    kind = GaugeMetricFamily if family.is_mark else CounterMetricFamily
    metric = kind(PREFIX + name, family.help, labels=tuple(family.labels))
    for labels, number in totals.items():
        metric.add_metric(labels, number)
    return metric


def _distribution(tally: Tally, name: str, family: Family) -> Metric:
    totals = {labels: Distribution([0] * (len(family.buckets) + 1)) for labels in family.combinations}
    for (of, labels), seen in tally.distributions.items():
        if of == name:
            known = family.known(labels)
            sofar = totals.get(known, Distribution([0] * (len(family.buckets) + 1)))
            counts = [a + b for a, b in zip(sofar.counts, seen.counts, strict=True)]
            totals[known] = Distribution(counts, sofar.total + seen.total)
    metric = HistogramMetricFamily(PREFIX + name, family.help, labels=tuple(family.labels))
    bounds = [*map(str, family.buckets), "+Inf"]
    for labels, seen in totals.items():
        metric.add_metric(labels, list(zip(bounds, accumulate(seen.counts), strict=True)), sum_value=seen.total)
    return metric


def _whole(answer: Answer) -> bytes:
    return answer.head() + answer.body
