"""`uuutorrent install` and `uninstall`: the operator's commands that make a machine a seedbox."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

from cyclopts import App

from uuutorrent.console import Flag, confirm, say
from uuutorrent.errors import Refused
from uuutorrent.installing import plan as plans
from uuutorrent.installing import step
from uuutorrent.installing.choices import PEER_PORT, Choices
from uuutorrent.installing.system import System, run


def register(root: App) -> None:
    """Put the commands into the tree."""
    for command in (install, uninstall):
        root.command(command)


async def install(
    *,
    dry_run: Flag = False,
    sqlite: Flag = False,
    monitoring: Flag = False,
    host: str = "",
    peer_port: int = PEER_PORT,
) -> str:
    """Install on this machine, Debian or Ubuntu, as root. Again: what is so already stays as it is.

    Parameters
    ----------
    dry_run
        Only say what would be done.
    sqlite
        A file instead of PostgreSQL, for a small trial.
    monitoring
        Prometheus and its exporters too.
    host
        The name people type after `ssh`.
    peer_port
        Where peers reach qBittorrent.
    """
    _as_root("install")
    choices, system = Choices(sqlite, monitoring, host, peer_port), System(run)
    await asyncio.to_thread(_go, step.install(plans.plan(system, choices), dry_run=dry_run))
    return "" if dry_run else f"\n{plans.parting(system, choices)}"


async def uninstall(*, dry_run: Flag = False, purge: Flag = False, yes: Flag = False) -> str:
    """Undo what `install` did. The data stay: accounts, downloads, the database, the configuration, backups.

    Parameters
    ----------
    dry_run
        Only say what would be undone.
    purge
        The data go as well, also the backups on this machine; there is no way back.
    yes
        Do not ask.
    """
    _as_root("uninstall")
    if purge and not yes and not dry_run:
        confirm(
            "Delete everybody's accounts, downloads, the database and its backups here? There is no way back.",
            "uuutorrent",
        )
    system = System(run)
    plan = plans.plan(system, Choices(sqlite=not system.at("/etc/uuutorrent/pgbackrest.conf").exists()))
    await asyncio.to_thread(_go, step.uninstall(plan, dry_run=dry_run, purge=purge))
    return ""


def _as_root(command: str) -> None:
    if os.geteuid() != 0:
        raise Refused(f"this changes the machine, so it is for root: sudo uuutorrent {command}")


def _go(lines: Iterator[str]) -> None:
    for line in lines:
        say(line)
