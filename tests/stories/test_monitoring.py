"""The monitoring that is shipped, on a real Prometheus beside the real daemon: every panel and every alert has data."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from systemd.monitoring import dashboards
from tests.ports import free_port
from tests.servers.postgres import Postgres, postgres
from tests.stories.hatchery import die_with_parent
from tests.stories.house import House

MONITORING = Path(dashboards.__file__).parent
RULES = MONITORING / "prometheus/uuutorrent.rules.yml"
SCRAPES = MONITORING / "prometheus/uuutorrent.scrape.yml"
PATIENCE_S = 60
MAY_BE_EMPTY = {
    "pg_stat_archiver_last_archive_age": "nothing is archived before pgBackRest is set up",
}


class Prometheus:
    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, query: str) -> list[Any]:
        address = f"http://127.0.0.1:{self.port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
            return found

    def still(self, queries: dict[str, str]) -> dict[str, str]:
        """Those that have no answer; what has one is taken out."""
        for name in [name for name, query in queries.items() if self.ask(query)]:
            del queries[name]
        return queries

    def until(self, true: Callable[[], Any], complaint: str, about: object = "") -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                if true():
                    return
            except OSError:
                pass  # it is still starting
            time.sleep(0.2)
        raise AssertionError(f"{complaint} {about}")


def part(name: str, package: str = "") -> str:
    """A program of a Debian package that `./dev test` has unpacked and not set up."""
    return str(Path(sys.prefix) / "parts" / (package or name) / "usr/bin" / name)


@contextmanager
def program(*words: str, home: Path, environment: dict[str, str] | None = None) -> Iterator[None]:
    with (home / f"{words[0]}.log").open("wb") as log:
        process = subprocess.Popen(
            [part(words[0]), *words[1:]], stdout=log, stderr=log, cwd=home, env=environment, preexec_fn=die_with_parent
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def configured(home: Path, ports: dict[str, int]) -> Path:
    """The scrape configuration that is shipped, with this test's ports and a shorter interval."""
    text = SCRAPES.read_text()
    for shipped, port in ports.items():
        assert f"127.0.0.1:{shipped}" in text
        text = text.replace(f"127.0.0.1:{shipped}", f"127.0.0.1:{port}")
    every_s = [int(number) for number in re.findall(r"scrape_interval: (\d+)s", text)]
    assert every_s
    assert max(every_s) <= 15
    text = re.sub(r"scrape_interval: \d+s", "scrape_interval: 1s", text)
    (home / "prometheus.yml").write_text(f"global:\n  evaluation_interval: 1s\nrule_files: [{RULES}]\n{text}")
    return home / "prometheus.yml"


@contextmanager
def watched(server: Postgres, home: Path) -> Iterator[Prometheus]:
    house = House(home / "house", database_url=server.fresh(), upkeep_settings="free_floor_bytes = 1").start()
    node, database, own = free_port(), free_port(), free_port()
    source = {"DATA_SOURCE_NAME": f"host={server.home} user=postgres dbname=postgres sslmode=disable"}
    config = configured(home, {"9464": house.metrics_port, "9100": node, "9187": database})
    with ExitStack() as stack:
        stack.callback(house.stop)
        stack.enter_context(program("prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{node}", home=home))
        stack.enter_context(
            program(
                "prometheus-postgres-exporter",
                f"--web.listen-address=127.0.0.1:{database}",
                home=home,
                environment=source,
            )
        )
        stack.enter_context(
            program(
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={home}/tsdb",
                f"--web.listen-address=127.0.0.1:{own}",
                home=home,
            )
        )
        yield Prometheus(own)


def panels_without_data() -> dict[str, str]:
    """What every panel asks, but for those that may be empty, by its title."""
    return {
        f"{uid}: {panel.title}: {legend}": query.replace("$__rate_interval", "1m")
        for uid, (_, panels) in dashboards.DASHBOARDS.items()
        for panel in panels
        for legend, query in panel.queries.items()
        if not panel.empty
    }


def names_in_alerts() -> dict[str, str]:
    """Every figure that an alert is about. That it has a value is all one can ask: most alerts are silent."""
    names = set(re.findall(r"\b((?:uuutorrent|node|pg)_[A-Za-z0-9_]+)", RULES.read_text()))
    return {name: f"count({name})" for name in names - MAY_BE_EMPTY.keys()}


@pytest.mark.real
def test_every_panel_and_every_alert_asks_for_what_is_there(tmp_path: Path) -> None:
    with postgres() as server, watched(server, tmp_path) as prometheus:
        prometheus.until(lambda: len(prometheus.ask("up == 1")) == 3, "not everything is scraped")
        silent, missing = panels_without_data(), names_in_alerts()
        prometheus.until(lambda: not prometheus.still(silent), "panels without data", silent)
        prometheus.until(lambda: not prometheus.still(missing), "alerts about nothing", missing)
        firing = {one["metric"]["alertname"] for one in prometheus.ask('ALERTS{alertstate="firing",severity="page"}')}
        assert firing == set()


def test_the_dashboards_are_those_that_are_described() -> None:
    for uid in dashboards.DASHBOARDS:
        shipped = MONITORING / f"grafana/dashboards/{uid}.json"
        assert shipped.read_text() == dashboards.text(uid), "run python -m systemd.monitoring.dashboards"


@pytest.mark.real
def test_the_alerts_fire_when_they_should() -> None:
    tests = sorted(map(str, RULES.parent.glob("*.test.yml")))
    assert len(tests) == 2
    for words in (("check", "rules", str(RULES)), ("test", "rules", *tests)):
        done = subprocess.run([part("promtool", "prometheus"), *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.real
def test_the_page_of_figures_is_as_prometheus_wants_it(tmp_path: Path) -> None:
    house = House(tmp_path / "house").start()
    try:
        page = urllib.request.urlopen(f"http://127.0.0.1:{house.metrics_port}/metrics", timeout=10).read()
    finally:
        house.stop()
    words = [part("promtool", "prometheus"), "check", "metrics"]
    done = subprocess.run(words, input=page, capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (0, "")
