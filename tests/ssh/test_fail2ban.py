"""The filter for fail2ban, against the lines that the daemon really writes."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from uuutorrent import logs
from uuutorrent.config import Server
from uuutorrent.tries import printable

ROOT = Path(__file__).parent.parent.parent
FILTER = ROOT / "systemd/fail2ban/filter.d/uuutorrent.conf"
UNPACKED = Path(sys.prefix) / "parts/fail2ban"
"""Where `./dev test` puts it: it is not installed, for then it would begin to ban people on this machine."""

pytestmark = pytest.mark.real
NAMES = (
    "root",
    "",
    "x event=ssh_auth_failed ip=8.8.8.8 port=1 ",
    "x\ntimestamp=2026-11-21T12:00:00Z level=info event=ssh_no_auth ip=8.8.8.8 port=1",
    'a" ip=8.8.8.8 "',
    "8.8.8.8",
    "ユーザー" * 40,
    "\x1b[2J\x00\x7f",
)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    before = structlog.get_config()
    logs.configure(Server())
    yield stream
    structlog.configure(**before)


def banned(text: str, tmp_path: Path) -> list[str]:
    """The addresses that fail2ban finds in a log, one for each line that it counts."""
    log = tmp_path / "log"
    log.write_text(text)
    program = [UNPACKED / "usr/bin/fail2ban-regex", "-c", UNPACKED / "etc/fail2ban", "--out", "ip", log, FILTER]
    words = ["/usr/bin/python3", *map(str, program)]
    environment = os.environ | {"PYTHONPATH": str(UNPACKED / "usr/lib/python3/dist-packages")}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_the_address_that_failed_is_counted_whatever_name_it_gave(
    address: str, written: io.StringIO, tmp_path: Path
) -> None:
    log = structlog.get_logger()
    for name in NAMES:
        log.info("ssh_auth_failed", ip=address, port=5555, method="password", user=printable(name))
        log.info("browser_auth_failed", ip=address, method="browser", user=printable(name))
    log.info("ssh_no_auth", ip=address, port=5555)
    assert banned(written.getvalue(), tmp_path) == [address] * (2 * len(NAMES) + 1)


def test_what_is_no_failure_is_not_counted(written: io.StringIO, tmp_path: Path) -> None:
    log = structlog.get_logger()
    log.info("ssh_signed_in", ip="192.0.2.7", port=5555, method="password", user="ann")
    log.info("browser_signed_in", ip="192.0.2.7", user="ann")
    log.warning("sign_in_trouble", ip="192.0.2.7", port=5555, why="event=ssh_auth_failed ip=8.8.8.8 port=1")
    log.info("ssh_sent_away", user="event=ssh_auth_failed ip=8.8.8.8 port=1", ip="192.0.2.7", port=1)
    assert banned(written.getvalue(), tmp_path) == []
