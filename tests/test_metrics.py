from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from tests.desks import built
from tests.fakes import FakeEngine
from tests.servers.anilist import FakeAniList
from tests.servers.nyaa import FakeNyaa
from tests.ssh.prompt import Prompt
from tests.torrents import metainfos
from uuutorrent import metrics
from uuutorrent.accounts import User
from uuutorrent.config import Metrics
from uuutorrent.desk import Services
from uuutorrent.errors import BadConfig, Unreachable
from uuutorrent.store.database import Database
from uuutorrent.tally import FAMILIES
from uuutorrent.torrents.engine import Phase

PATIENCE_S = 30

Ready = Callable[[], Awaitable[None]]
NAMES = {
    "dependency_requests", "dependency_request_duration_seconds", "ssh_auth_attempts", "ssh_refused", "sessions",
    "browser_auth_attempts", "browser_refused", "browser_limits", "browser_sessions",
    "session_crashes", "served_bytes", "sign_ups", "grabs", "grab_step_duration_seconds", "event_loop_lag_seconds",
    "qbittorrent_restarts", "engine_up", "torrents", "torrent_bytes_per_second", "build_info", "sessions_open",
    "downloads", "disk_free_bytes", "downloads_waiting", "orphans", "egress_bytes", "egress_budget_bytes",
    "feed_polls", "feed_takings", "messages", "autopilot_episodes", "jobs", "job_last_success_timestamp_seconds",
    "job_interval_seconds", "paused",
    "backup_last_success_timestamp_seconds", "backup_drill_last_success_timestamp_seconds",
    "ssh_limits", "ssh_connections", "sftp_sent_bytes",
}  # fmt: skip


@pytest.fixture
def database_url(tmp_path: Path, furnished_file: Path) -> str:
    """The side port does not care which database there is."""
    copied = shutil.copyfile(furnished_file, tmp_path / "uuutorrent.db")
    return f"sqlite+aiosqlite:///{copied}"


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[tuple[Services, FakeEngine]]:
    with FakeAniList() as anilist, FakeNyaa() as nyaa:
        anilist.add_media("Sousou no Frieren", episodes=28)
        title = "[SubsPlease] Sousou no Frieren - 05 (1080p) [6EB72D05].mkv"
        nyaa.post(title, torrent=metainfos.single(title), size=1000)
        async with built(database, tmp_path, anilist_url=anilist.url, nyaa_url=nyaa.url) as there:
            yield there.services, there.engine


@pytest.fixture
def services(house: tuple[Services, FakeEngine]) -> Services:
    return house[0]


async def fine() -> None:
    """Ready."""


@asynccontextmanager
async def side_port(services: Services, ready: Ready = fine) -> AsyncGenerator[httpx.AsyncClient]:
    sessions = {"screen": 2, "command": 0, "sftp": 1}
    connections = {"unauthenticated": 3, "joining": 0, "signed_in": 2}
    async with (
        metrics.serve(
            Metrics(port=0), services, sessions=lambda: sessions, connections=lambda: connections, ready=ready
        ) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client,
    ):
        yield client


async def scraped(services: Services) -> dict[str, Metric]:
    """The page, read as Prometheus does; our own families by their bare names."""
    async with side_port(services) as client:
        page = await client.get("/metrics")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(page.text)}
    assert {"process_resident_memory_bytes", "process_open_fds", "python_gc_collections", "python_info"} <= set(
        families
    )
    return {name.removeprefix(metrics.PREFIX): family for name, family in families.items()}


def value(family: Metric, suffix: str = "", **labels: str) -> float:
    (found,) = [
        sample.value for sample in family.samples if sample.name == f"{family.name}{suffix}" and sample.labels == labels
    ]
    return found


async def test_every_family_is_there_from_the_start_with_all_its_series(services: Services) -> None:
    families = await scraped(services)
    assert {name for name in families if not name.startswith(("process_", "python_"))} == NAMES
    for name, family in FAMILIES.items():
        shown = families[name]
        assert shown.documentation == family.help
        assert shown.type == ("histogram" if family.buckets else "gauge" if family.is_mark else "counter")
        suffix = "_count" if family.buckets else "" if family.is_mark else "_total"
        of = [tuple(sample.labels.values()) for sample in shown.samples if sample.name.endswith(suffix)]
        assert sorted(of) == sorted(family.combinations)


async def test_what_is_counted_is_shown(services: Services) -> None:
    services.tally.count("ssh_auth_attempts", "publickey", "ok")
    services.tally.count("ssh_auth_attempts", "password", "failed", by=3)
    services.tally.count("qbittorrent_restarts")
    families = await scraped(services)
    signins = families["ssh_auth_attempts"]
    assert value(signins, "_total", method="publickey", outcome="ok") == 1
    assert value(signins, "_total", method="password", outcome="failed") == 3
    assert value(signins, "_total", method="password", outcome="ok") == 0
    assert value(families["qbittorrent_restarts"], "_total") == 1
    assert value(families["sessions_open"], kind="screen") == 2
    assert value(families["sessions_open"], kind="sftp") == 1


async def test_histograms_are_cumulative_and_end_with_their_count(services: Services) -> None:
    for seconds in (0.0005, 0.004, 0.004, 0.3, 99.0):
        services.tally.observe("event_loop_lag_seconds", seconds)
    lag = (await scraped(services))["event_loop_lag_seconds"]
    buckets = [(sample.labels["le"], sample.value) for sample in lag.samples if sample.name.endswith("_bucket")]
    counts = dict(buckets)
    assert (counts["0.001"], counts["0.005"], counts["0.5"], counts["2.5"]) == (1, 3, 4, 4)
    assert list(counts)[-1] == "+Inf"
    assert [*counts.values()] == sorted(counts.values())
    assert value(lag, "_count") == 5
    assert value(lag, "_sum") == pytest.approx(99.3085)


async def test_a_real_episode_leaves_its_traces_and_nothing_unforeseen(services: Services, ann: User) -> None:
    prompt = Prompt(services, ann)
    await prompt.says("get 1001 5")
    await prompt.type("get 1001 29")
    families = await scraped(services)
    assert value(families["grabs"], "_total", outcome="added") == 1
    assert value(families["grabs"], "_total", outcome="failed") == 1
    for step in ("watchlist", "search", "rank", "add", "link"):
        assert value(families["grab_step_duration_seconds"], "_count", step=step) >= 1
    for dependency in ("anilist", "nyaa"):
        assert value(families["dependency_requests"], "_total", dependency=dependency, outcome="ok") >= 1
        assert value(families["dependency_request_duration_seconds"], "_count", dependency=dependency) >= 1
    assert not [
        sample for family in families.values() for sample in family.samples if "other" in sample.labels.values()
    ]


async def test_no_label_is_a_clients_to_choose(services: Services) -> None:
    for n in range(100):
        services.tally.count("ssh_auth_attempts", "password", f"ann{n}")
        services.tally.observe("grab_step_duration_seconds", 0.1, f"step {n}")
    families = await scraped(services)
    assert value(families["ssh_auth_attempts"], "_total", method="password", outcome="other") == 100
    assert value(families["grab_step_duration_seconds"], "_count", step="other") == 100
    signins = families["ssh_auth_attempts"].samples
    assert (
        len({tuple(sample.labels.values()) for sample in signins})
        == len([*FAMILIES["ssh_auth_attempts"].combinations]) + 1
    )


async def test_downloads_are_counted_by_how_they_do(house: tuple[Services, FakeEngine], ann: User) -> None:
    services, engine = house
    assert value((await scraped(services))["downloads"], verdict="well") == 0
    for name in ("One", "Two", "Three"):
        await services.library.add_given(ann, metainfos.several(name))
    engine.change((await services.library.holdings(ann))[0].infohash, phase=Phase.MISSING)
    await services.live.refresh()
    await services.observations.look_once()
    downloads = (await scraped(services))["downloads"]
    by_verdict = {sample.labels["verdict"]: sample.value for sample in downloads.samples}
    assert by_verdict == {"well": 2, "slow": 0, "stalled": 0, "dead": 0, "broken": 1}


async def test_torrents_are_counted_by_phase(house: tuple[Services, FakeEngine], ann: User) -> None:
    services, engine = house
    for name in ("One", "Two", "Three"):
        await services.library.add_given(ann, metainfos.several(name))
    infohashes = [one.infohash for one in await services.library.holdings(ann)]
    engine.progress(infohashes[0], 0.5, down_bps=1000)
    engine.complete(infohashes[1])
    engine.change(infohashes[1], up_bps=300)
    await services.live.refresh()
    families = await scraped(services)
    assert value(families["torrents"], phase="downloading") == 2
    assert value(families["torrents"], phase="seeding") == 1
    assert value(families["torrents"], phase="error") == 0
    assert {sample.labels["phase"] for sample in families["torrents"].samples} == {phase.value for phase in Phase}
    assert value(families["torrent_bytes_per_second"], direction="down") == 1000
    assert value(families["torrent_bytes_per_second"], direction="up") == 300
    assert value(families["engine_up"]) == 1
    engine.go_down()
    await services.live.refresh()
    assert value((await scraped(services))["engine_up"]) == 0


async def test_disk_and_line_are_shown(services: Services, ann: User) -> None:
    families = await scraped(services)
    assert families["disk_free_bytes"].samples == []
    assert value(families["egress_budget_bytes"]) == 10**13

    (services.config.download_dir / "left.mkv").write_text("x")
    services.tally.count("served_bytes", "sftp", by=1000)
    await services.live.refresh()
    await services.upkeep.guard_once()
    await services.library.orphans.look()
    await services.traffic.flush()

    families = await scraped(services)
    assert value(families["disk_free_bytes"]) > 0
    assert value(families["downloads_waiting"]) == 0
    assert value(families["orphans"], kind="files") == 1
    assert value(families["orphans"], kind="others") == 0
    assert value(families["egress_bytes"], kind="sftp") == 1000
    assert value(families["egress_bytes"], kind="seeding") == 0


async def test_names_follow_prometheus_rules(services: Services) -> None:
    for name, family in (await scraped(services)).items():
        if name.startswith(("process_", "python_")):
            continue
        assert family.documentation.endswith(".")
        assert not name.endswith(("_total", "_count", "_sum", "_bucket", "_ms", "_milliseconds", "_kb"))
        assert family.name.startswith("uuutorrent_")


async def test_lag_is_sampled(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "LAG_SAMPLE_S", 0.001)
    sampling = asyncio.create_task(metrics.sample_lag(services.tally))
    async with asyncio.timeout(PATIENCE_S):
        while ("event_loop_lag_seconds", ()) not in services.tally.distributions:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)
    sampling.cancel()


async def test_alive_and_ready(services: Services) -> None:
    async with side_port(services) as client:
        alive, ready = await client.get("/livez"), await client.get("/readyz?verbose=1")
    assert (alive.status_code, alive.text) == (200, "alive\n")
    assert (ready.status_code, ready.text) == (200, "ready\n")


async def test_not_ready_says_why(services: Services) -> None:
    async def away() -> None:
        raise Unreachable("the database", "it does not answer; try again in a moment")

    async with side_port(services, away) as client:
        ready, alive = await client.get("/readyz"), await client.get("/livez")
    assert (ready.status_code, ready.text) == (503, "the database: it does not answer; try again in a moment\n")
    assert alive.status_code == 200


async def test_a_database_that_hangs_is_not_ready(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "READY_DEADLINE_S", 0.01)
    async with side_port(services, asyncio.Event().wait) as client:  # type: ignore[arg-type] # the answer is not used
        ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert "the database" in ready.text


async def test_a_real_database_is_pinged(services: Services, database: Database) -> None:
    async with side_port(services, database.ping) as client:
        assert (await client.get("/readyz")).status_code == 200


async def test_what_breaks_is_logged_and_answered(services: Services) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    with capture_logs() as logged:
        async with side_port(services, broken) as client:
            answer = await client.get("/readyz")
    assert (answer.status_code, answer.text) == (500, "something broke; it was logged\n")
    assert [one["event"] for one in logged if one["log_level"] == "error"] == ["side_port_crashed"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/metrics/", 404),
        ("GET", "/../etc/passwd", 404),
        ("HEAD", "/livez", 200),
        ("HEAD", "/nothing", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/nothing", 405),
    ],
)
async def test_other_questions_are_answered_by_the_book(
    services: Services, method: str, path: str, status: int
) -> None:
    async with side_port(services) as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["connection"] == "close"
    assert ("allow" in answer.headers) == (status == 405)
    assert (answer.content == b"") == (method == "HEAD")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 9000, b"431"),
        (b"GET /metrics\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", b"400"),
        (b"GET /livez HTTP/2.0\r\n\r\n", b"400"),
        (b"GET /livez HTTP/1.0\r\n\r\n", b"200"),
        (b"GET /liv", b""),
        (b"", b""),
    ],
)
async def test_what_is_no_request_is_answered_or_dropped(services: Services, sent: bytes, status: bytes) -> None:
    async with side_port(services) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(sent)
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
        writer.close()
        assert answer.partition(b" ")[2][:3] == status
        assert (await client.get("/livez")).status_code == 200


async def test_who_sends_nothing_is_cut_off(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "REQUEST_DEADLINE_S", 0.05)
    async with side_port(services) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(b"GET /met")
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.close()


async def test_who_is_in_the_middle_of_something_does_not_hold_the_daemon_up(services: Services) -> None:
    async with asyncio.timeout(PATIENCE_S):
        async with side_port(services) as client:
            _, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
            writer.write(b"GET /met")
            assert (await client.get("/livez")).status_code == 200
        writer.close()


async def test_a_port_that_is_taken_is_told(services: Services) -> None:
    async with side_port(services) as client:
        taken = Metrics(port=client.base_url.port or 0)
        with pytest.raises(BadConfig, match=f"port {taken.port}: Address already in use; see host and port of"):
            async with metrics.serve(taken, services, sessions=dict, connections=dict, ready=fine):
                pass
