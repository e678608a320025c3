"""Units, fail2ban's filter, the files for monitoring, and starting it all."""

from __future__ import annotations

import time
from pathlib import Path

from uuutorrent.errors import Unexpected
from uuutorrent.installing import program
from uuutorrent.installing.choices import ENGINE, Choices
from uuutorrent.installing.step import Step
from uuutorrent.installing.system import System

UNITS = "/etc/systemd/system"
DAEMON_UNIT = "uuutorrent.service"
ENABLED = (f"{ENGINE}.service", DAEMON_UNIT, "uuutorrent-backup.timer", "uuutorrent-drill.timer")
ANSWERS_S = 20
_PROMETHEUS = ("uuutorrent.rules.yml", "uuutorrent.scrape.yml")


def steps(system: System, choices: Choices) -> list[Step]:
    """What is enabled is started last, and undone first."""
    source = program.assets()
    made = [_file(system, one, f"{UNITS}/{one.name}") for one in sorted((source / "units").iterdir())]
    made += [_file(system, one, f"/etc/fail2ban/{one.parent.name}/{one.name}") for one in _fail2ban(source)]
    if choices.monitoring or system.at("/etc/prometheus").is_dir():
        made += [
            _file(system, source / "monitoring/prometheus" / name, f"/etc/prometheus/{name}") for name in _PROMETHEUS
        ]
    if system.at("/etc/grafana").is_dir():
        made += _grafana(system, source / "monitoring/grafana")
    return [*made, *(_started(system) if system.has_systemd else ())]


def _fail2ban(source: Path) -> list[Path]:
    return sorted((source / "fail2ban").glob("*.d/*.conf"))


def _grafana(system: System, source: Path) -> list[Step]:
    return [
        *(
            _file(system, one, f"/etc/grafana/provisioning/{one.parent.name}/{one.name}")
            for one in _below(source, "*.yml")
        ),
        *(_file(system, one, f"/etc/grafana/dashboards/uuutorrent/{one.name}") for one in _below(source, "*.json")),
    ]


def _below(source: Path, pattern: str) -> list[Path]:
    return sorted(source.rglob(pattern))


def _file(system: System, source: Path, path: str) -> Step:
    content = source.read_text()

    def undo() -> None:
        system.at(path).unlink(missing_ok=True)
        if path.startswith(UNITS) and system.has_systemd:
            system.asks("systemctl", "daemon-reload")

    return Step(
        f"{path} is this version's.",
        lambda: system.holds(path, content),
        lambda: system.write(path, content),
        undo,
    )


def _started(system: System) -> list[Step]:
    return [
        Step(
            f"These are enabled and run: {', '.join(ENABLED)}.",
            lambda: all(_is(system, word, unit) for unit in ENABLED for word in ("is-enabled", "is-active")),
            lambda: _start(system),
            lambda: _stop(system),
        ),
        Step(
            "The daemon runs this version, with these units.",
            lambda: _runs_this(system),
            lambda: _restart(system),
            lambda: None,
        ),
        Step(
            "fail2ban looks at the daemon's log.",
            lambda: system.asks("fail2ban-client", "status", "uuutorrent") is not None,
            lambda: _watch(system),
            lambda: _ask(system, "fail2ban-client", "stop", "uuutorrent"),
        ),
    ]


def _is(system: System, word: str, unit: str) -> bool:
    return system.asks("systemctl", word, "--quiet", unit) is not None


def _start(system: System) -> None:
    system.does("systemctl", "daemon-reload")
    system.does("systemctl", "enable", "--now", *ENABLED)


def _stop(system: System) -> None:
    for unit in reversed(ENABLED):
        system.asks("systemctl", "disable", "--now", unit)


def _runs_this(system: System) -> bool:
    told = system.asks("systemctl", "show", "--value", "--property=MainPID", "--property=NeedDaemonReload", DAEMON_UNIT)
    words = (told or "").split()
    pid = next((word for word in words if word.isdecimal()), "0")
    try:
        return "yes" not in words and program.version().encode() in system.at(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _restart(system: System) -> None:
    system.does("systemctl", "daemon-reload")
    system.does("systemctl", "restart", DAEMON_UNIT)


def _ask(system: System, *words: str) -> None:
    system.asks(*words)


def _watch(system: System) -> None:
    """It takes a moment to answer, and ends by itself where it does not like its settings."""
    system.does("systemctl", "restart", "fail2ban.service")
    for _ in range(ANSWERS_S * 2):
        if system.asks("fail2ban-client", "status", "uuutorrent") is not None:
            return
        time.sleep(0.5)
    raise Unexpected("fail2ban", "it does not run with our jail: journalctl -u fail2ban says why")
