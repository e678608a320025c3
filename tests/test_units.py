"""The units that are shipped: systemd understands them, and they leave little open."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.installing.box import Box
from uuutorrent.installing import accounts
from uuutorrent.installing.choices import DOWNLOADS, FILES

UNITS = Path(__file__).parent.parent / "systemd/units"
MOST = {"uuutorrent-backup.service": 3.0, "uuutorrent-drill.service": 3.0}
"""Exposure that is accepted: to become the account that owns PostgreSQL's files, these two need to be root."""
ENGINE_ID, FILES_ID, DAEMON_ID = 64_001, 64_002, 64_003


@pytest.mark.real
@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.service")), ids=lambda unit: unit.name)
def test_a_unit_leaves_little_open(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= MOST.get(unit.name, 1.5), done.stdout


@pytest.mark.real
@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.*")), ids=lambda unit: unit.name)
def test_systemd_understands_a_unit(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if unit.stem in line and "not executable" not in line]
    assert said == []


@pytest.fixture
def downloads(tmp_path: Path) -> Iterator[Path]:
    """The download directory as it is installed, where every account gets to."""
    made = [one for one in accounts.steps(Box(tmp_path).system) if one.what.startswith(DOWNLOADS)]
    for one in made:
        one.do()
    place = Path(tempfile.mkdtemp(prefix="uuu-rights-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(place, ENGINE_ID, FILES_ID)
    place.chmod(stat.S_IMODE((tmp_path / DOWNLOADS.lstrip("/")).stat().st_mode))
    yield place
    shutil.rmtree(place)


def unit(name: str) -> dict[str, str]:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # as its documentation says
    parser.read(UNITS / name)
    return dict(parser["Service"])


def as_account(number: int, groups: int, words: str) -> subprocess.CompletedProcess[str]:
    """Only root can be others; else the rights of the group are looked at, and that is all."""
    account = ["setpriv", f"--reuid={number}", f"--regid={groups}", "--clear-groups", "--"] if os.geteuid() == 0 else []
    return subprocess.run([*account, "sh", "-c", words], check=False, capture_output=True, text=True)


@pytest.mark.real
def test_the_daemon_removes_what_qbittorrent_fetched_and_others_see_nothing(downloads: Path) -> None:
    daemon, engine = unit("uuutorrent.service"), unit("uuutorrent-qbittorrent.service")
    assert daemon["SupplementaryGroups"] == engine["Group"] == FILES
    assert DOWNLOADS in {path.lstrip("-") for path in daemon["ReadWritePaths"].split()}
    fetched = (
        f"umask {engine['UMask']} && mkdir -p {downloads}/show/extras && echo seen > {downloads}/show/extras/1.mkv"
    )
    assert as_account(ENGINE_ID, FILES_ID, fetched).returncode == 0
    for folder in (downloads, downloads / "show", downloads / "show/extras"):
        assert folder.stat().st_mode & 0o077 == 0o070, "all for its group, nothing for others"
    done = as_account(DAEMON_ID, FILES_ID, f"cat {downloads}/show/extras/1.mkv && rm -r {downloads}/show")
    assert (done.returncode, done.stdout, list(downloads.iterdir())) == (0, "seen\n", []), done.stderr
