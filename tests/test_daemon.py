"""The daemon as a process: what keeps it from starting, what ends it, and what the operator then reads."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.stories.hatchery import die_with_parent
from tests.stories.house import House
from uuutorrent import daemon

pytestmark = pytest.mark.real

NOBODY = 'url = "http://127.0.0.1:9"'
"""A qBittorrent that is away, so that none of our own is started."""
WITH_ITS_OWN = (f"[qbittorrent]\n{NOBODY}\n", "[qbittorrent]\n")
PATIENCE_S = 180
DIES = """
import asyncio
from uuutorrent import cli, metrics

async def dies(_):
    await asyncio.sleep(0.05)
    raise ZeroDivisionError("counted wrong")

metrics.sample_lag = dies
cli.main()
"""
NEVER_LISTENS = "#!/bin/sh\necho $$ > {pid}\nexec sleep 600\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "house")
    configure(made, *WITH_ITS_OWN[::-1])
    yield made
    if made.process is not None:
        made.kill()


def configure(house: House, old: str, new: str) -> None:
    file = house.home / "config.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def serve(house: House, *python: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run the daemon until it ends by itself."""
    return subprocess.run(
        [sys.executable, *(python or ("-m", "uuutorrent")), "serve"],
        env=house.environment() | ({"PATH": path} if path else {}),
        cwd=house.home,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        preexec_fn=die_with_parent,
    )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that is no event of the log; a traceback would be more of them."""
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("timestamp=")]
    assert line.startswith("uuutorrent: ")
    return line.removeprefix("uuutorrent: ")


@contextmanager
def taken(port: int) -> Iterator[None]:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield


@pytest.mark.parametrize("section", ["ssh", "metrics"])
def test_a_port_that_is_taken_ends_the_start_with_a_sentence_and_costs_no_password(house: House, section: str) -> None:
    port = house.port if section == "ssh" else house.metrics_port
    with taken(port):
        done = serve(house)
    assert done.returncode == 78
    assert complaint(done) == (
        f"cannot listen on 127.0.0.1 port {port}: Address already in use; see host and port of [{section}]"
    )
    assert "password" not in done.stdout
    house.start()
    house.until(lambda: "one-time password" in house.log, "no one-time password was printed")
    assert house.stop() == 0


def test_without_a_qbittorrent_it_says_what_to_install(house: House) -> None:
    configure(house, *WITH_ITS_OWN)
    done = serve(house, path="/nowhere")
    assert (done.returncode, complaint(done).partition(":")[0]) == (78, "qbittorrent-nox is not installed")


def test_a_directory_that_cannot_be_used_is_told_by_name(house: House) -> None:
    (house.home / "data").write_text("not a directory")
    done = serve(house)
    assert (done.returncode, complaint(done)) == (78, f"{house.home / 'data'} cannot be used: File exists")


def test_a_database_that_is_away_is_worth_another_try_later(house: House) -> None:
    configure(house, 'url = ""', 'url = "postgresql+asyncpg://u:p@127.0.0.1:9/x"')
    done = serve(house)
    assert (done.returncode, complaint(done)) == (75, "the database: it does not answer just now; nothing was changed")


def test_a_job_that_breaks_ends_the_daemon_with_a_traceback_in_the_log(house: House) -> None:
    done = serve(house, "-c", DIES)
    assert done.returncode == 70
    assert complaint(done) == "something broke and ended the daemon; the log says what"
    (broken,) = [line for line in done.stderr.splitlines() if "event=daemon.broke" in line]
    assert "level=error" in broken
    assert "ZeroDivisionError: counted wrong" in broken
    assert "in dies" in broken


def test_a_changed_configuration_is_in_force_for_whoever_comes_next_and_a_wrong_one_is_not(house: House) -> None:
    house.start()
    house.add_user("ann")
    assert house.process
    whole = (house.home / "config.toml").read_text()
    (house.home / "config.toml").write_text(
        whole.replace("[ssh]", "[ssh]\npublic_host = 'seedbox.example'\nchannel = 1")
    )
    house.process.send_signal(signal.SIGHUP)
    house.until(lambda: "config.not_reloaded" in house.log, "a wrong configuration was not told")
    changed = whole.replace('public_host = "127.0.0.1"', 'public_host = "seedbox.example"').replace(
        "shutdown_grace_s = 2", "shutdown_grace_s = 3"
    )
    (house.home / "config.toml").write_text(changed)
    house.process.send_signal(signal.SIGHUP)
    house.until(
        lambda: "changed=ssh.public_host needs_restart=ssh.shutdown_grace_s" in house.log, "it was not read anew"
    )
    assert "seedbox.example" in house.ssh("ann", "help").stdout.decode()
    house.uuutorrent("user", "role", "ann", "admin")
    house.until(lambda: b'"detail": "publickey SHA256:' in house.ssh("ann", "audit", "--json").stdout, "no sign-in")
    noted = house.ssh("ann", "audit", "operator", "--limit", "2").stdout.decode().splitlines()
    assert [line.split()[1:] for line in noted[1:]] == [
        ["operator", "-", "users", "role", "ann:", "admin"],
        ["operator", "-", "config", "reload:", "ssh.public_host"],
    ]
    assert house.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_ended_while_it_still_opens(house: House, number: signal.Signals) -> None:
    configure(house, *WITH_ITS_OWN)
    pid = house.home / "pid"
    engine = house.home / "bin" / "qbittorrent-nox"
    engine.parent.mkdir()
    engine.write_text(NEVER_LISTENS.format(pid=pid))
    engine.chmod(0o700)
    with (house.home / "daemon.log").open("wb") as log:
        house.process = subprocess.Popen(
            [sys.executable, "-m", "uuutorrent", "serve"],
            env=house.environment() | {"PATH": f"{engine.parent}:{os.environ['PATH']}"},
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
        )
    house.until(lambda: pid.exists() and pid.read_text(), "it does not start its qBittorrent")
    assert house.stop(number) == 0
    assert not Path(f"/proc/{pid.read_text().strip()}").exists()
    assert re.findall(r"event=(daemon\S+)", house.log) == ["daemon.stopped"]


def test_it_may_open_as_many_files_as_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
        daemon.open_many_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(hard, daemon.MOST_OPEN_FILES), hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
