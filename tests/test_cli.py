from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.operating import Operating
from uuutorrent import daemon
from uuutorrent.config import Config
from uuutorrent.errors import BadConfig, Unreachable


@pytest.fixture
def uuutorrent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Operating:
    return Operating(tmp_path, monkeypatch, capsys)


async def test_the_database_is_upgraded_once(uuutorrent: Operating) -> None:
    assert (await uuutorrent("db", "upgrade")).out == "The database is up to date now.\n"
    assert (await uuutorrent("db", "upgrade")).out == "The database was up to date.\n"


async def test_the_configuration_is_shown_with_its_origins_and_without_its_secrets(
    uuutorrent: Operating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UUUTORRENT_QBITTORRENT__PASSWORD", "hunter2")
    shown = (await uuutorrent("config", "show")).out
    assert "[ssh]\n" in shown
    assert 'log_format = "logfmt"                         # default' in shown
    assert 'password = "(hidden)"                         # UUUTORRENT_QBITTORRENT__PASSWORD' in shown
    assert "hunter2" not in shown
    told = json.loads((await uuutorrent("config", "show", "--json")).out)
    assert {"section": "ssh", "key": "password_tries", "value": 3, "origin": "default"} in told


@pytest.mark.real
async def test_check_says_what_is_there_and_makes_nothing(uuutorrent: Operating, tmp_path: Path) -> None:
    done = await uuutorrent("check")
    assert done.code == 0, done
    assert f"ok    configuration: {tmp_path / 'config.toml'}" in done.out
    assert f"ok    data directory: {tmp_path / 'data'} (made at the first start)" in done.out
    assert "ok    database: " in done.out
    assert "ok    ffprobe: /" in done.out
    assert "ssh -p 2222 NAME@box.example" in done.out
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "uuutorrent.db").exists()


async def test_check_says_that_ffprobe_is_missing_and_that_this_is_no_failure(
    uuutorrent: Operating, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("UUUTORRENT_QBITTORRENT__URL", "http://127.0.0.1:9")
    done = await uuutorrent("check")
    assert "ok    ffprobe: not installed, so only the first bytes" in done.out
    monkeypatch.setenv("UUUTORRENT_HEALTH__PROBE", "false")
    assert "ok    ffprobe: not used" in (await uuutorrent("check")).out


async def test_check_says_who_listens_on_the_port_already(
    uuutorrent: Operating, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = b"SSH-2.0-uuutorrent\r\n"

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    monkeypatch.setenv("UUUTORRENT_SSH__HOST", "127.0.0.1")
    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("UUUTORRENT_SSH__PORT", str(port))
        assert f"ok    port {port}: a uuutorrent listens there" in (await uuutorrent("check")).out
        said = b"SSH-2.0-OpenSSH_9.2\r\n"
        assert f"FAIL  port {port}: another program listens there (ss -ltnp" in (await uuutorrent("check")).out
    assert f"ok    port {port}: free" in (await uuutorrent("check")).out


async def test_check_says_which_secrets_others_can_read(uuutorrent: Operating, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(uuutorrent.database_url)
    uuutorrent.config_file.write_text(f'[database]\nurl_file = "{tmp_path / "url"}"\n')
    (tmp_path / "url").chmod(0o644)
    told = (await uuutorrent("check")).out
    assert f"FAIL  secret {tmp_path / 'url'}: others of this machine may look at it (mode 0644): chmod 0400" in told
    (tmp_path / "url").chmod(0o400)
    assert f"ok    secret {tmp_path / 'url'}: its owner's alone" in (await uuutorrent("check")).out


async def test_check_says_how_old_the_newest_backup_is_and_how_the_last_drill_went(uuutorrent: Operating) -> None:
    told = (await uuutorrent("check")).out
    assert "ok    backups: none yet in " in told
    assert "ok    restore for practice: never yet, try: uuutorrent drill" in told
    await uuutorrent("user", "add", "ann", "--generate")
    await uuutorrent("backup")
    await uuutorrent("drill")
    told = (await uuutorrent("check")).out
    assert "ok    backups: the newest is of " in told
    assert ", in no second place (backup.second)" in told
    assert "ok    restore for practice: went well at " in told
    (kept,) = (one for one in (uuutorrent.home / "data/backups").iterdir() if one.is_dir())
    manifest = json.loads((kept / "manifest.json").read_text())
    (kept / "manifest.json").write_text(json.dumps({**manifest, "at": "2026-01-01T00:00:00+00:00"}))
    (kept.parent / "drill.json").write_text(
        json.dumps({**json.loads((kept.parent / "drill.json").read_text()), "ok": False, "why": "no key"})
    )
    told = (await uuutorrent("check")).out
    assert "FAIL  backups: the newest is of 2026-01-01 00:00 UTC: see that the daemon runs" in told
    assert "FAIL  restore for practice: it went wrong at " in told
    assert ": no key\n" in told


async def test_check_asks_what_is_far_away_only_when_told_to(
    uuutorrent: Operating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UUUTORRENT_NYAA__BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("UUUTORRENT_ANILIST__API_URL", "http://127.0.0.1:9")
    told = await uuutorrent("check")
    assert "ok    Nyaa: http://127.0.0.1:9\n" in told.out
    told = await uuutorrent("check", "--online")
    assert "FAIL  Nyaa: http://127.0.0.1:9: Nyaa: no answer: see whether this machine reaches the internet" in told.out
    assert "FAIL  AniList: " in told.out


async def test_check_says_that_qbittorrent_refuses_the_password(
    uuutorrent: Operating, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        status = b"200 OK" if b"/auth/login" in asked else b"403 Forbidden"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 6\r\nConnection: close\r\n\r\nFails.")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        monkeypatch.setenv("UUUTORRENT_QBITTORRENT__URL", url)
        told = (await uuutorrent("check")).out
    assert f"FAIL  qBittorrent: {url}: qBittorrent: it refuses the username and password of [qbittorrent]" in told


async def test_check_of_a_database_that_is_in_use_says_so(uuutorrent: Operating) -> None:
    await uuutorrent("db", "upgrade")
    lines = (await uuutorrent("check")).out.splitlines()
    assert f"ok    database: {uuutorrent.database_url}" in lines


async def test_check_finds_what_will_not_do_and_hides_the_password(
    uuutorrent: Operating, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_text("in the way")
    monkeypatch.setenv("UUUTORRENT_DATABASE__URL", "postgresql+asyncpg://uuu:hunter2@127.0.0.1:9/uuu")
    monkeypatch.setenv("UUUTORRENT_QBITTORRENT__URL", "http://127.0.0.1:9")
    done = await uuutorrent("check")
    assert done.code == BadConfig.exit_code
    assert f"FAIL  data directory: {tmp_path / 'data'}: " in done.out
    assert "FAIL  database: postgresql+asyncpg://uuu:***@127.0.0.1:9/uuu: " in done.out
    assert "FAIL  qBittorrent: http://127.0.0.1:9: " in done.out
    assert "hunter2" not in done.out + done.err


async def test_a_database_that_does_not_answer_is_told_in_one_line(
    uuutorrent: Operating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UUUTORRENT_DATABASE__URL", "postgresql+asyncpg://uuu@127.0.0.1:9/uuu")
    done = await uuutorrent("user", "list")
    assert (done.code, done.out) == (75, "")
    assert done.err == "uuutorrent: the database: it does not answer just now; nothing was changed\n"


async def test_serve_runs_the_daemon_with_the_configuration(
    uuutorrent: Operating, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Config] = []

    async def run(config: Config, file: Path) -> None:
        served.append(config)

    monkeypatch.setattr(daemon, "run", run)
    (tmp_path / "other.toml").write_text("[ssh]\nport = 2200\n")
    for words in (
        ("serve",),
        ("--config", str(tmp_path / "other.toml"), "serve"),
        ("serve", f"--config={tmp_path / 'other.toml'}"),
    ):
        assert (await uuutorrent(*words)).code == 0
    assert [config.ssh.port for config in served] == [2222, 2200, 2200]


async def test_what_ends_the_daemon_is_told_without_a_traceback(
    uuutorrent: Operating, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(config: Config, file: Path) -> None:
        raise ExceptionGroup(
            "tasks", [ExceptionGroup("more", [BadConfig("port 2222 is taken")]), Unreachable("x", "y")]
        )

    monkeypatch.setattr(daemon, "run", run)
    done = await uuutorrent("serve")
    assert (done.code, done.err) == (78, "uuutorrent: port 2222 is taken\nuuutorrent: x: y\n")


async def test_a_mistake_of_ours_is_not_hidden(uuutorrent: Operating, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(config: Config, file: Path) -> None:
        raise ExceptionGroup("tasks", [BadConfig("one thing"), ZeroDivisionError()])

    monkeypatch.setattr(daemon, "run", run)
    with pytest.raises(ExceptionGroup):
        await uuutorrent("serve")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("nonsense",), 2, 'Unknown command "nonsense"'),
        (("user", "ad"), 2, 'Did you mean "add"?'),
        (("user", "add"), 2, "NAME"),
        (("user", "role", "ann", "king"), 2, '"user", "admin"'),
        (("user", "list", "--config"), 2, "--config needs the name of a file"),
        (("--config", "/nowhere.toml", "check"), 78, "there is no configuration file /nowhere.toml"),
        (("user", "add", "ann", "--generate", "--password-stdin"), 2, "either"),
        (("user", "add", "Ann"), 2, "a user name is 1 to 32 characters"),
        (("user", "add", "root"), 2, "reserved"),
    ],
)
async def test_what_was_typed_wrong_is_told_in_one_line(
    uuutorrent: Operating, words: Sequence[str], code: int, told: str
) -> None:
    done = await uuutorrent(*words)
    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert done.err.count("\n") == 1


async def test_help_and_version_need_no_configuration(uuutorrent: Operating, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UUUTORRENT_CONFIG", "/nowhere.toml")
    assert (await uuutorrent("--version")).out == f"{version('uuutorrent')}\n"
    told = await uuutorrent("--help")
    assert told.code == 0
    for word in ("serve", "check", "db", "user", "--config FILE"):
        assert word in told.out
    assert "--password-stdin" in (await uuutorrent("user", "add", "--help")).out
