"""The steps of an installation, on a machine whose files are real and whose programs are played."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.installing.box import Box
from tests.operating import Operating
from uuutorrent.config import Config
from uuutorrent.errors import Conflict, Unexpected
from uuutorrent.installing import postgresql, program, step
from uuutorrent.installing.choices import Choices
from uuutorrent.installing.plan import firewall, plan
from uuutorrent.installing.system import Said, System, run
from uuutorrent.store import migrate

CHOICES = Choices(host="box.example")
SECRETS = ("etc/uuutorrent/database.url", "etc/uuutorrent/qbittorrent.password")


def files(root: Path) -> dict[Path, bytes]:
    return {one: one.read_bytes() for one in root.rglob("*") if one.is_file()}


def install(box: Box, choices: Choices = CHOICES, *, dry_run: bool = False) -> list[str]:
    return list(step.install(plan(box.system, choices), dry_run=dry_run))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """Looked at only: copying the program takes seconds."""
    box = Box(tmp_path_factory.mktemp("root"))
    lines = install(box)
    assert [line for line in lines if line.startswith("to do")] == []
    assert "done    The program is in /opt/uuutorrent/versions" in "\n".join(lines)
    return box


def test_a_dry_run_says_every_step_and_changes_nothing(tmp_path: Path) -> None:
    box = Box(tmp_path)
    before = files(tmp_path)
    lines = install(box, dry_run=True)
    assert [line for line in lines if not line.startswith("to do   ")] == [
        "is so   What PostgreSQL held before this version changes its schema is in a backup."
    ], "of nothing"
    told = "\n".join(lines)
    for word in (
        *("qbittorrent-nox", "postgresql", "pgbackrest", "fail2ban", "account uuutorrent", "/opt/uuutorrent"),
        *(
            "role uuutorrent_system",
            "database uuutorrent",
            "/etc/uuutorrent/config.toml",
            "uuutorrent-drill.timer",
            "enabled",
        ),
    ):
        assert word in told
    assert files(tmp_path) == before
    looked = (
        "dpkg-query",
        "getent",
        "pg_lsclusters",
        "pgbackrest",
        "systemctl is-",
        "systemctl show",
        "fail2ban-client status",
    )
    assert [one for one in box.ran if not one.startswith(looked)] == []


def test_installed_twice_the_second_time_does_nothing(installed: Box) -> None:
    before = files(installed.root)
    lines = install(installed)
    assert [line for line in lines if not line.startswith("is so   ")] == []
    assert files(installed.root) == before


def test_secrets_are_roots_alone_and_stand_in_no_command_line(installed: Box) -> None:
    for name in SECRETS:
        assert (installed.root / name).stat().st_mode & 0o777 == 0o400
    assert (installed.root / "etc/uuutorrent/pgbackrest.conf").stat().st_mode & 0o777 == 0o640
    told = "\n".join(installed.ran)
    for name in SECRETS:
        assert (installed.root / name).read_text().strip() not in told, "what programs are called with, everybody sees"


def test_the_configuration_that_is_written_is_one(installed: Box) -> None:
    given = tomllib.loads((installed.root / "etc/uuutorrent/config.toml").read_text())
    for section, key in (("database", "url_file"), ("qbittorrent", "password_file")):
        given[section][key] = str(installed.root / given[section][key].lstrip("/"))
    config = Config(**given)
    assert config.database.url.startswith("postgresql+asyncpg://uuutorrent:")
    assert config.qbittorrent.url == "http://127.0.0.1:8081"
    assert (config.ssh.reach("ann"), config.backup.stanza) == ("ssh -p 2222 ann@box.example", "uuutorrent")


def test_what_the_operator_wrote_stays(tmp_path: Path) -> None:
    box = Box(tmp_path, systemd=False)
    own = tmp_path / "etc/uuutorrent/config.toml"
    own.parent.mkdir(parents=True)
    own.write_text("[ssh]\nport = 22\n")
    for one in plan(box.system, CHOICES):
        if "config.toml" in one.what:
            assert one.is_done()
    (tmp_path / "etc/uuutorrent/qbittorrent.password").write_text("theirs")
    assert own.read_text() == "[ssh]\nport = 22\n"


def test_the_program_that_was_copied_runs_and_takes_itself_for_the_same_version(installed: Box) -> None:
    there = installed.root / "opt/uuutorrent/versions" / program.version()
    python = [str(there / "bin/python"), "-I"]
    asked = "from uuutorrent.installing import program; print(program.version())"
    done = subprocess.run([*python, "-c", asked], capture_output=True, text=True, check=True, cwd="/", env={})
    assert done.stdout.strip() == program.version()
    assert (installed.root / "opt/uuutorrent/bin/uuutorrent").resolve() == there / "bin/uuutorrent"
    assert not list(there.rglob("pytest")), "what only tests need stays behind"


def test_uninstalled_the_data_stay_and_with_purge_they_go(tmp_path: Path) -> None:
    box = Box(tmp_path)
    cheap = [
        one for one in plan(box.system, CHOICES) if "/opt/" not in one.what and "this version, with" not in one.what
    ]
    (tmp_path / "opt/uuutorrent/bin").mkdir(parents=True)
    (tmp_path / "opt/uuutorrent/bin/uuutorrent").symlink_to("nowhere")
    list(step.install(cheap, dry_run=False))
    (tmp_path / "srv/uuutorrent/episode.mkv").write_text("seen")

    would = list(step.uninstall(cheap, dry_run=True, purge=True))
    assert (tmp_path / "etc/systemd/system/uuutorrent.service").exists()
    assert any(line.startswith("to undo") for line in would)

    list(step.uninstall(cheap, dry_run=False, purge=False))
    assert not list((tmp_path / "etc/systemd/system").iterdir())
    assert not list(tmp_path.glob("etc/fail2ban/*/*"))
    assert (box.units, box.settings) == (set(), {})
    assert (tmp_path / "srv/uuutorrent/episode.mkv").read_text() == "seen"
    assert all((tmp_path / name).is_file() for name in (*SECRETS, "etc/uuutorrent/config.toml"))
    assert (box.roles, box.databases) == ({"uuutorrent", "uuutorrent_system"}, {"uuutorrent"})

    list(step.uninstall(cheap, dry_run=False, purge=True))
    assert (box.roles, box.databases, box.accounts, box.stanza) == (set(), set(), set(), False)
    assert not any((tmp_path / place).exists() for place in ("srv/uuutorrent", "etc/uuutorrent", "var/lib/uuutorrent"))


def test_a_trial_without_postgresql_keeps_everything_in_a_file(tmp_path: Path) -> None:
    box = Box(tmp_path)
    told = "\n".join(install(box, Choices(sqlite=True), dry_run=True))
    assert "SQLite" in told
    assert "pgbackrest" not in told
    assert "postgresql" not in told.lower()


def test_monitoring_comes_where_it_is_asked_for_or_there_already(tmp_path: Path) -> None:
    box = Box(tmp_path)
    assert "/etc/prometheus" not in "\n".join(install(box, dry_run=True))
    assert "prometheus-postgres-exporter" in "\n".join(install(box, Choices(monitoring=True), dry_run=True))
    for place in ("prometheus", "grafana"):
        (tmp_path / "etc" / place).mkdir(parents=True)
    told = "\n".join(install(box, dry_run=True))
    assert "/etc/prometheus/uuutorrent.rules.yml" in told
    assert "/etc/grafana/dashboards/uuutorrent/machine.json" in told


def test_a_log_that_somebody_else_archives_is_left_to_them(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.packages.add("postgresql")
    box.settings = {"archive_command": "barman %p", "archive_mode": "on"}
    (archive,) = [one for one in postgresql.steps(box.system) if "hands every piece" in one.what]
    assert not archive.is_done()
    with pytest.raises(Conflict, match="barman"):
        archive.do()


def test_before_a_newer_version_changes_the_schema_postgresql_is_backed_up(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.packages.add("postgresql")
    list(step.install(postgresql.steps(box.system), dry_run=False))
    (beforehand,) = [one for one in postgresql.steps(box.system) if "changes its schema" in one.what]
    taken = [one for one in box.ran if one.endswith("--type=diff backup")]
    for box.revision, due in (("", False), (migrate.head(), False), ("0005", True)):
        assert beforehand.is_done() is not due
    beforehand.do()
    assert (taken, box.ran[-1].split()[-2:]) == ([], ["--type=diff", "backup"])


def test_what_a_program_complains_of_is_told_in_its_words() -> None:
    system = System(lambda words, given: Said(100, "", "reading\nE: Unable to locate package pgbackrest\n"))
    with pytest.raises(Unexpected, match="apt-get: E: Unable to locate package pgbackrest"):
        system.does("apt-get", "install", "pgbackrest")
    with pytest.raises(Unexpected, match="there-is-no-such-program is not there"):
        System(run).does("there-is-no-such-program")


def test_the_lines_for_the_firewall_go_before_the_rule_that_rejects() -> None:
    told = firewall(Choices(peer_port=50000))
    assert "iptables -I INPUT -p tcp --dport 2222 -j ACCEPT" in told
    assert "iptables -I INPUT -p udp --dport 50000 -j ACCEPT" in told
    assert "iptables -A" not in told


@pytest.mark.parametrize("command", ["install", "uninstall"])
async def test_it_is_for_root(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    done = await Operating(tmp_path, monkeypatch, capsys)(command, "--dry-run")
    assert (done.code, done.out) == (3, "")
    assert done.err == f"uuutorrent: this changes the machine, so it is for root: sudo uuutorrent {command}\n"


async def test_purging_asks_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    done = await Operating(tmp_path, monkeypatch, capsys)("uninstall", "--purge", given="no\n")
    assert done.code == 2
    assert "nothing was changed" in done.err
