"""A newer qBittorrent than the distribution's, beside it: fetched from a later suite of the same archive.

The machine's own apt sources say where the archive is; apt checks its signatures as always. The packages are only
unpacked, into a folder under the user's cache, and run with their own loader and libraries, so nothing of the system
is touched and no root is needed. It takes about ten seconds once, and 150 MB.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LATER = {"Debian": "trixie", "Ubuntu": "resolute"}
PACKAGE = "qbittorrent-nox"
FETCH_S = 180


@dataclass(frozen=True)
class Program:
    """How to start a qBittorrent."""

    words: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


def newer_qbittorrent() -> Program:
    """The one in the cache; fetched first if it is not there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uuutorrent-tests"
    cache.mkdir(parents=True, exist_ok=True)
    site, origin = _archive()
    root = cache / f"{PACKAGE}-{LATER[origin]}"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may ask at once
        if not root.exists():
            _fetch(site, LATER[origin], "main" if origin == "Debian" else "main universe", root)
    return _program(root)


def _archive() -> tuple[str, str]:
    """The address of the main archive that apt uses, and whose it is."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE) $(ORIGIN)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = [line.rsplit(" ", 1) for line in listed.stdout.splitlines()]
    return next((site, origin) for site, origin in pairs if origin in LATER and "security" not in site)


def _fetch(site: str, suite: str, components: str, root: Path) -> None:
    work = root.with_name(f"{root.name}.new")
    shutil.rmtree(work, ignore_errors=True)
    for folder in ("state/lists/partial", "cache/archives/partial", "etc", "root"):
        (work / folder).mkdir(parents=True)
    (work / "status").touch()  # nothing is installed, so everything it needs comes along
    (work / "etc/sources.list").write_text(f"deb {site} {suite} {components}\n")
    (work / "apt.conf").write_text(
        f'Dir::State "{work}/state";\n'
        f'Dir::State::status "{work}/status";\n'
        f'Dir::Cache "{work}/cache";\n'
        f'Dir::Etc::sourcelist "{work}/etc/sources.list";\n'
        f'Dir::Etc::sourceparts "{work}/etc/none";\n'
        'APT::Install-Recommends "false";\n'
        'APT::Sandbox::User "";\n'
        'Acquire::Languages "none";\n'
        'Acquire::Retries "3";\n'
        'Debug::NoLocking "true";\n'
    )
    env = {**os.environ, "APT_CONFIG": str(work / "apt.conf"), "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["--yes", "--download-only", "install", PACKAGE]):
        subprocess.run(["apt-get", "-qq", *words], env=env, check=True, timeout=FETCH_S, capture_output=True)
    for package in sorted((work / "cache/archives").glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(package), str(work / "root")], check=True)
    (work / "root").rename(root)
    shutil.rmtree(work)


def _program(root: Path) -> Program:
    loader = next(path for path in sorted(root.glob("usr/lib/*/ld-linux-*.so.*")))
    libraries = loader.parent
    return Program(
        words=(str(loader), "--library-path", f"{libraries}:{libraries}/libproxy", str(root / f"usr/bin/{PACKAGE}")),
        env={"QT_PLUGIN_PATH": f"{libraries}/qt6/plugins"},
    )
