"""The units that are shipped: systemd understands them, and they leave little open."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parent.parent / "systemd/units"
MOST = {"uuutorrent-backup.service": 3.0, "uuutorrent-drill.service": 3.0}
"""Exposure that is accepted: to become the account that owns PostgreSQL's files, these two need to be root."""


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
