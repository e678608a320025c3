"""The accounts, the group and the directories that belong to them."""

from __future__ import annotations

import shutil
import stat

from uuutorrent.installing.choices import DAEMON, DATA, DOWNLOADS, ENGINE, FILES, PROFILE, SETTINGS
from uuutorrent.installing.step import Step
from uuutorrent.installing.system import System

_NOLOGIN = "/usr/sbin/nologin"


def steps(system: System) -> list[Step]:
    """Two accounts that nobody signs in to, so that qBittorrent cannot reach what the daemon keeps, nor it what
    qBittorrent downloads."""
    return [
        Step(
            f"There is a system group {FILES}, who may read and remove downloads.",
            lambda: system.asks("getent", "group", FILES) is not None,
            lambda: _do(system, "groupadd", "--system", FILES),
            lambda: _gone(system, "group", FILES, "groupdel"),
            is_data=True,
        ),
        _account(system, DAEMON, DATA, None),
        _account(system, ENGINE, PROFILE, FILES),
        _directory(system, SETTINGS, "root:root", 0o755),
        _directory(system, DATA, f"{DAEMON}:{DAEMON}", 0o700),
        _directory(system, PROFILE, f"{ENGINE}:{FILES}", 0o700),
        _directory(system, DOWNLOADS, f"{ENGINE}:{FILES}", 0o2770),
    ]


def _account(system: System, name: str, home: str, group: str | None) -> Step:
    belongs = ("--gid", group) if group else ("--user-group",)
    return Step(
        f"There is a system account {name} that nobody can sign in to.",
        lambda: system.asks("getent", "passwd", name) is not None,
        lambda: _do(system, "useradd", "--system", *belongs, "--home-dir", home, "--shell", _NOLOGIN, name),
        lambda: _gone(system, "passwd", name, "userdel"),
        is_data=True,
    )


def _directory(system: System, path: str, owner: str, mode: int) -> Step:
    user, group = owner.split(":")

    def do() -> None:
        system.does("install", "-d", "-o", user, "-g", group, "-m", f"{mode:o}", str(system.at(path)))
        if mode & stat.S_IWGRP:  # what is in it already as well
            system.does("chmod", "--recursive", "g+w", str(system.at(path)))

    return Step(
        f"{path} belongs to {owner}, mode {mode:04o}.",
        lambda: system.mode(path) == mode,
        do,
        lambda: shutil.rmtree(system.at(path), ignore_errors=True),
        is_data=True,
    )


def _do(system: System, *words: str) -> None:
    system.does(*words)


def _gone(system: System, kind: str, name: str, *words: str) -> None:
    if system.asks("getent", kind, name) is not None:
        system.does(*words, name)
