"""The dashboards, as a table of panels; `python -m systemd.monitoring.dashboards` writes Grafana's JSON from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLACE = Path(__file__).parent / "grafana" / "dashboards"
WIDTH, HEIGHT, PER_ROW = 8, 7, 3
RATE = "$__rate_interval"
"""Of Grafana: as wide as it has to be for the zoom."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot: a title, the unit of its axis as Grafana calls it, and queries by legend."""

    title: str
    unit: str
    queries: Mapping[str, str]
    empty: str = ""
    """Why it may show nothing."""


def p99(histogram: str, by: str = "le") -> str:
    """The 99th percentile of a histogram."""
    return f"histogram_quantile(0.99, sum by ({by}) (rate({histogram}_bucket[{RATE}])))"


def mean(histogram: str) -> str:
    """The mean of a histogram."""
    return f"rate({histogram}_sum[{RATE}]) / rate({histogram}_count[{RATE}])"


UUU = "uuutorrent_"
DASHBOARDS: Mapping[str, tuple[str, tuple[Panel, ...]]] = {
    "daemon": (
        "uuutorrent: the daemon",
        (
            Panel("Answers", "bool_on_off", {"daemon": 'up{job="uuutorrent"}', "qBittorrent": f"{UUU}engine_up"}),
            Panel("Sessions", "short", {"{{kind}}": f"{UUU}sessions_open"}),
            Panel("Connections", "short", {"{{state}}": f"{UUU}ssh_connections", "browsers": f"{UUU}browser_sessions"}),
            Panel(
                "How late the event loop is",
                "s",
                {
                    "p99": p99(f"{UUU}event_loop_lag_seconds"),
                    "mean": mean(f"{UUU}event_loop_lag_seconds"),
                },
            ),
            Panel(
                "Sign-ins",
                "ops",
                {
                    "{{method}} {{outcome}}": f"rate({UUU}ssh_auth_attempts_total[{RATE}])",
                    "browser {{outcome}}": f"rate({UUU}browser_auth_attempts_total[{RATE}])",
                },
            ),
            Panel(
                "Sent away",
                "ops",
                {
                    "{{reason}}": f"rate({UUU}ssh_refused_total[{RATE}])",
                    "browser {{reason}}": f"rate({UUU}browser_refused_total[{RATE}])",
                },
            ),
            Panel("Files served", "Bps", {"{{door}}": f"rate({UUU}served_bytes_total[{RATE}])"}),
            Panel(
                "Jobs that did not go well",
                "ops",
                {"{{exported_job}} {{outcome}}": f'rate({UUU}jobs_total{{outcome!="ok"}}[{RATE}])'},
            ),
            Panel("Mistakes of ours", "short", {"{{kind}}": f"increase({UUU}session_crashes_total[1h])"}),
            Panel(
                "CPU", "percentunit", {"of one core": f'rate(process_cpu_seconds_total{{job="uuutorrent"}}[{RATE}])'}
            ),
            Panel("Memory", "bytes", {"resident": 'process_resident_memory_bytes{job="uuutorrent"}'}),
            Panel("Open files", "short", {"descriptors": 'process_open_fds{job="uuutorrent"}'}),
        ),
    ),
    "downloads": (
        "uuutorrent: downloads",
        (
            Panel("Torrents", "short", {"{{phase}}": f"{UUU}torrents"}),
            Panel("How downloads do", "short", {"{{verdict}}": f"{UUU}downloads"}),
            Panel("Torrent traffic", "Bps", {"{{direction}}": f"{UUU}torrent_bytes_per_second"}),
            Panel(
                "From key press to downloading, p99",
                "s",
                {"{{step}}": p99(f"{UUU}grab_step_duration_seconds", "le, step")},
            ),
            Panel("Fetches", "short", {"{{outcome}}": f"increase({UUU}grabs_total[1h])"}),
            Panel("Autopilot", "short", {"{{outcome}}": f"increase({UUU}autopilot_episodes_total[1h])"}),
            Panel("Feeds", "short", {"{{outcome}}": f"increase({UUU}feed_polls_total[1h])"}),
            Panel(
                "Requests outside",
                "ops",
                {"{{dependency}} {{outcome}}": f"rate({UUU}dependency_requests_total[{RATE}])"},
            ),
            Panel(
                "Time they take, p99",
                "s",
                {"{{dependency}}": p99(f"{UUU}dependency_request_duration_seconds", "le, dependency")},
            ),
            Panel("Free on the disk", "bytes", {"free": f"{UUU}disk_free_bytes"}),
            Panel(
                "Waiting for room, or nobody's",
                "short",
                {"waiting": f"{UUU}downloads_waiting", "{{kind}}": f"{UUU}orphans"},
            ),
            Panel(
                "Traffic of the month",
                "bytes",
                {"{{kind}}": f"{UUU}egress_bytes", "budget": f"{UUU}egress_budget_bytes"},
            ),
        ),
    ),
    "machine": (
        "uuutorrent: the machine",
        (
            Panel(
                "CPU",
                "percentunit",
                {"{{mode}}": f'sum by (mode) (rate(node_cpu_seconds_total{{mode!="idle"}}[{RATE}]))'},
            ),
            Panel("Load", "short", {"1 min": "node_load1", "5 min": "node_load5"}),
            Panel(
                "Memory",
                "bytes",
                {"available": "node_memory_MemAvailable_bytes", "total": "node_memory_MemTotal_bytes"},
            ),
            Panel("Free on disks", "bytes", {"{{mountpoint}}": "node_filesystem_avail_bytes"}),
            Panel(
                "Disk reads and writes",
                "Bps",
                {
                    "{{device}} read": f"rate(node_disk_read_bytes_total[{RATE}])",
                    "{{device}} written": f"rate(node_disk_written_bytes_total[{RATE}])",
                },
                empty="no disk of its own in a container",
            ),
            Panel(
                "Network",
                "Bps",
                {
                    "{{device}} in": f"rate(node_network_receive_bytes_total[{RATE}])",
                    "{{device}} out": f"rate(node_network_transmit_bytes_total[{RATE}])",
                },
            ),
        ),
    ),
    "database": (
        "uuutorrent: database and backups",
        (
            Panel("PostgreSQL answers", "bool_on_off", {"up": "pg_up"}),
            Panel("Connections", "short", {"{{state}}": "sum by (state) (pg_stat_activity_count)"}),
            Panel("Size", "bytes", {"{{datname}}": "pg_database_size_bytes"}),
            Panel(
                "Transactions",
                "ops",
                {
                    "committed": f"sum(rate(pg_stat_database_xact_commit[{RATE}]))",
                    "rolled back": f"sum(rate(pg_stat_database_xact_rollback[{RATE}]))",
                },
            ),
            Panel("Deadlocks", "short", {"{{datname}}": "increase(pg_stat_database_deadlocks[1h])"}),
            Panel(
                "Age of the log that left the machine",
                "s",
                {"archived": "pg_stat_archiver_last_archive_age"},
                empty="nothing is archived before pgBackRest is set up",
            ),
            Panel(
                "Age of the newest backup",
                "s",
                {"{{kind}}": f"time() - {UUU}backup_last_success_timestamp_seconds > 0"},
            ),
            Panel(
                "Age of the last restore for practice",
                "s",
                {"drill": f"time() - {UUU}backup_drill_last_success_timestamp_seconds"},
            ),
        ),
    ),
}


def dashboard(uid: str) -> dict[str, Any]:
    """A dashboard in Grafana's own format."""
    title, panels = DASHBOARDS[uid]
    return {
        "uid": f"uuutorrent-{uid}",
        "title": title,
        "tags": ["uuutorrent"],
        "timezone": "browser",
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "schemaVersion": 39,
        "editable": False,
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }


def text(uid: str) -> str:
    """The file of a dashboard."""
    return json.dumps(dashboard(uid), indent=1, ensure_ascii=False) + "\n"


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, PER_ROW)
    source = {"type": "prometheus", "uid": "prometheus"}
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": f"May be empty: {panel.empty}." if panel.empty else "",
        "datasource": source,
        "gridPos": {"x": column * WIDTH, "y": row * HEIGHT, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": source, "expr": query, "legendFormat": legend}
            for place, (legend, query) in enumerate(panel.queries.items())
        ],
    }


def main() -> None:
    """Write all of them."""
    for uid in DASHBOARDS:
        (PLACE / f"{uid}.json").write_text(text(uid))


if __name__ == "__main__":
    main()
