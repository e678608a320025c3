"""The Debian packages that are needed."""

from __future__ import annotations

from collections.abc import Sequence

from uuutorrent.installing.choices import Choices
from uuutorrent.installing.step import Step
from uuutorrent.installing.system import System

ALWAYS = ("qbittorrent-nox", "ffmpeg", "rclone", "fail2ban", "python3-systemd", "iptables")
"""python3-systemd: with it fail2ban reads the journal; iptables: with it fail2ban bans."""
POSTGRESQL = ("postgresql", "pgbackrest")
MONITORING = ("prometheus", "prometheus-node-exporter", "prometheus-postgres-exporter")


def wanted(choices: Choices) -> tuple[str, ...]:
    """Which, for these choices."""
    return ALWAYS + (() if choices.sqlite else POSTGRESQL) + (MONITORING if choices.monitoring else ())


def steps(system: System, choices: Choices) -> list[Step]:
    """One step: apt-get does them all at once."""
    names = wanted(choices)

    def do() -> None:
        system.does("apt-get", "update", "-qq")
        system.does("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing(system, names))

    return [
        Step(
            f"These packages are installed: {', '.join(names)}.",
            lambda: not missing(system, names),
            do,
            stays="others may use them: apt-get remove is yours",
        )
    ]


def missing(system: System, names: Sequence[str]) -> list[str]:
    """Which of them are not installed."""
    show = ("dpkg-query", "--show", "--showformat", "${Status}")
    return [name for name in names if not (system.asks(*show, name) or "").endswith("ok installed")]
