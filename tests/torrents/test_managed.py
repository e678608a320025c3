"""The daemon's own qBittorrent."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.newer import newer_qbittorrent
from tests.swarm import MIB, RealQBittorrent, Swarm
from uuutorrent.config import Config, Server
from uuutorrent.config import QBittorrent as Settings
from uuutorrent.errors import BadConfig, Unreachable
from uuutorrent.tally import Tally
from uuutorrent.torrents import managed as managed_module
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.managed import Managed
from uuutorrent.torrents.profile import Profile, conf_of, ports_of
from uuutorrent.torrents.qbittorrent import QBittorrent

PATIENCE_S = 180
"""After a connection that failed, peers try again a minute later."""
RECORDER = """#!/bin/sh
for word; do case "$word" in --profile=*) folder="${word#--profile=}";; esac; done
cp "$folder/qBittorrent/config/qBittorrent.conf" "$folder/at-start.conf"
printf '%s\\n' "$@" > "$folder/words"
"""
DAEMON = """
import asyncio, sys
from pathlib import Path
from uuutorrent.config import Config, QBittorrent, Server
from uuutorrent.tally import Tally
from uuutorrent.torrents.managed import Managed

async def main():
    settings = QBittorrent(interface="lo", discovery=False)
    async with Managed(Config(server=Server(data_dir=Path(sys.argv[1])), qbittorrent=settings), Tally()) as managed:
        print(managed.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return configured(tmp_path)


def configured(folder: Path, **settings: object) -> Config:
    quiet = {"interface": "lo", "discovery": False, "poll_s": 0.2, **settings}
    return Config(server=Server(data_dir=folder / "data"), qbittorrent=Settings.model_validate(quiet))


def conf(config: Config) -> dict[str, str]:
    lines = conf_of(config.server.data / "qbittorrent").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


@asynccontextmanager
async def engine_of(managed: Managed) -> AsyncIterator[QBittorrent]:
    async with QBittorrent(managed.url, managed.username, managed.password, Tally()) as engine:
        yield engine


@asynccontextmanager
async def running(managed: Managed) -> AsyncIterator[None]:
    task = asyncio.create_task(managed.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def answers(engine: QBittorrent) -> str:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await engine.version()
            except Unreachable:
                await asyncio.sleep(0.05)


def written_down(config: Config, infohash: str) -> bool:
    """It will know the torrent at its next start."""
    kept = config.server.data / "qbittorrent/qBittorrent/data/BT_backup"
    return all((kept / f"{infohash}.{kind}").exists() for kind in ("torrent", "fastresume"))


async def ended(pid: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while is_running(pid):  # noqa: ASYNC110 - it is not our child
            await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, or before it was read
        return False


def listening(pid: int) -> set[str]:
    """The local addresses of all its sockets, as the kernel writes them: 0100007F is 127.0.0.1."""
    inodes = {str(fd.readlink()).removeprefix("socket:[").rstrip("]") for fd in Path(f"/proc/{pid}/fd").iterdir()}
    tables = (Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6", "udp", "udp6"))
    sockets = [line.split() for lines in tables for line in lines]
    return {words[1].partition(":")[0] for words in sockets if words[9] in inodes}


def stub(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another qbittorrent-nox, found first."""
    folder.mkdir()
    (folder / "qbittorrent-nox").write_text(script)
    (folder / "qbittorrent-nox").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


async def test_the_settings_are_there_before_the_first_start(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(tmp_path / "bin", RECORDER, monkeypatch)
    with pytest.raises(BadConfig, match="ended at once with code 0"):
        async with Managed(config, Tally()):
            pass
    folder = config.server.data / "qbittorrent"
    written = (folder / "at-start.conf").read_text()
    for line in (
        "Accepted=true",
        "PortForwardingEnabled=false",
        "Session\\Interface=lo",
        "Session\\InterfaceName=lo",
        "Session\\InterfaceAddress=127.0.0.1",
        "Session\\DHTEnabled=false",
        "Session\\PeXEnabled=false",
        "Session\\LSDEnabled=false",
        "WebUI\\Address=127.0.0.1",
        "WebUI\\UseUPnP=false",
        "WebUI\\LocalHostAuth=true",
        f'Session\\DefaultSavePath="{config.download_dir}"',
    ):
        assert line in written.splitlines()
    assert f"--profile={folder}" in (folder / "words").read_text().splitlines()


async def test_out_in_the_world_it_is_not_tuned_for_loopback(tmp_path: Path) -> None:
    profile = Profile(
        folder=tmp_path, web_port=1, peer_port=2, username="u", password="p", download_dir=tmp_path, interface=""
    )
    profile.write()
    lines = conf_of(tmp_path).read_text().splitlines()
    for line in (
        "Session\\Interface=",
        "Session\\InterfaceAddress=",
        "Session\\DHTEnabled=true",
        "Session\\MultiConnectionsPerIp=false",
        "Session\\BTProtocol=Both",
        "Session\\SSRFMitigation=true",
        "PortForwardingEnabled=false",
    ):
        assert line in lines


async def test_what_an_operator_changed_elsewhere_stays(tmp_path: Path) -> None:
    place = conf_of(tmp_path)
    place.parent.mkdir(parents=True)
    place.write_text(
        "[BitTorrent]\nSession\\GlobalMaxRatio=2\nSession\\DHTEnabled=true\n\n[Meta]\nMigrationVersion=4\n"
    )
    profile = Profile(tmp_path, 1, 2, "u", "p", tmp_path / "downloads", interface="lo", discovery=False)
    profile.write()
    profile.write()
    lines = place.read_text().splitlines()
    assert lines.count("Session\\GlobalMaxRatio=2") == 1
    assert "MigrationVersion=4" in lines
    assert lines.count("Session\\DHTEnabled=false") == 1
    assert "Session\\DHTEnabled=true" not in lines
    assert ports_of(tmp_path) == (1, 2)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


async def test_settings_that_cannot_be_read_are_written_anew(tmp_path: Path) -> None:
    place = conf_of(tmp_path)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"\xff\x00 torn")
    assert ports_of(tmp_path) == (0, 0)
    Profile(tmp_path, 1, 2, "u", "p", tmp_path).write()
    assert ports_of(tmp_path) == (1, 2)


async def test_a_missing_program_says_what_to_install(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BadConfig, match="apt install qbittorrent-nox"):
        async with Managed(config, Tally()):
            pass


async def test_a_program_that_ends_at_once_says_where_to_look(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(tmp_path / "bin", "#!/bin/sh\necho cannot open shared object file\nexit 127\n", monkeypatch)
    managed = Managed(config, Tally())
    with pytest.raises(BadConfig, match=r"code 127; see .*output\.log"):
        await managed.__aenter__()
    assert "cannot open shared object file" in managed.log_file.read_text()


async def test_what_it_prints_is_bounded(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managed_module, "LOG_BYTES", 1000)
    monkeypatch.setattr(managed_module, "PAUSES_S", (0.01,))
    monkeypatch.setattr(managed_module, "READY_S", 0.0)
    stub(tmp_path / "bin", "#!/bin/sh\nhead -c 600 /dev/zero\n", monkeypatch)
    tally = Tally()
    async with Managed(config, tally) as managed, running(managed):
        async with asyncio.timeout(PATIENCE_S):
            while tally.counters.get(("qbittorrent_restarts", ()), 0) < 6:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
    assert managed.log_file.stat().st_size <= 1800


@pytest.mark.real
async def test_it_runs_on_loopback_only_with_a_password_of_its_own(config: Config) -> None:
    async with Managed(config, Tally()) as managed, engine_of(managed) as engine:
        assert (await engine.version()).startswith("v")
        secret = config.server.data / "qbittorrent/password"
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        assert managed.password == secret.read_text().strip()
        assert managed.password not in conf_of(config.server.data / "qbittorrent").read_text()
        assert managed.pid
        assert listening(managed.pid) == {"0100007F"}


@pytest.mark.real
async def test_a_newer_one_than_the_distribution_has_obeys_as_well(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = newer_qbittorrent()
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in program.env.items())
    stub(tmp_path / "bin", f'#!/bin/sh\n{exports}exec {shlex.join(program.words)} "$@"\n', monkeypatch)
    async with Managed(config, Tally()) as managed, engine_of(managed) as engine:
        assert not (await engine.version()).startswith("v4.")
        assert managed.pid
        assert listening(managed.pid) == {"0100007F"}
    assert managed.pid is None


@pytest.mark.real
async def test_a_second_start_finds_the_same_address_password_and_torrents(config: Config, tmp_path: Path) -> None:
    with Swarm(tmp_path / "swarm") as swarm:
        made = swarm.share("Show.mkv", MIB, seed=False)
        async with Managed(config, Tally()) as first, engine_of(first) as engine:
            await engine.add(made.new(config.download_dir))
            # What is added in its last moment may be lost, and is added again by reconcile.
            async with asyncio.timeout(PATIENCE_S):
                while not written_down(config, made.v1):  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.02)
        async with Managed(config, Tally()) as second, engine_of(second) as engine:
            assert (second.url, second.password) == (first.url, first.password)
            async with asyncio.timeout(PATIENCE_S):
                while not await engine.torrents():  # noqa: ASYNC110 - nothing tells but asking
                    await asyncio.sleep(0.02)


@pytest.mark.real
async def test_a_folder_with_odd_signs_is_its_download_folder(tmp_path: Path) -> None:
    place = tmp_path / 'with, commas; "quotes" = and 日本語ab é 🎌.d'
    async with Managed(configured(tmp_path, download_dir=str(place)), Tally()) as managed, engine_of(managed) as engine:
        shown = await engine._ask(lambda client: client.app_default_save_path())
        assert Path(shown) == place


@pytest.mark.real
async def test_a_peer_port_that_was_asked_for_is_used(tmp_path: Path) -> None:
    config = configured(tmp_path, peer_port=31_999)
    async with Managed(config, Tally()) as managed, engine_of(managed) as engine:
        assert await engine._ask(lambda client: client.app_preferences()["listen_port"]) == 31_999


@pytest.mark.real
async def test_it_is_started_again_when_it_is_killed_and_goes_on_with_its_torrents(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(managed_module, "PAUSES_S", (0.05,))
    tally = Tally()
    with Swarm(tmp_path / "swarm") as swarm:
        made = swarm.share("Show.mkv", 2 * MIB, limit_bps=2 * MIB)
        async with Managed(config, tally) as managed, engine_of(managed) as engine, running(managed):
            await engine.add(made.new(config.download_dir))
            async with asyncio.timeout(PATIENCE_S):
                while not any(torrent.progress > 0.1 for torrent in await engine.torrents()):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            for _ in range(2):
                assert managed.pid
                killed = managed.pid
                os.kill(killed, signal.SIGKILL)
                await ended(killed)
                assert await answers(engine)
                assert managed.pid != killed
            async with asyncio.timeout(PATIENCE_S):
                while not any(torrent.phase is Phase.SEEDING for torrent in await engine.torrents()):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
    assert (config.download_dir / made.name).read_bytes() == made.files[made.name]
    assert tally.counters[("qbittorrent_restarts", ())] == 2


async def test_pauses_grow_while_it_dies_young(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub(tmp_path / "bin", "#!/bin/sh\n", monkeypatch)
    monkeypatch.setattr(managed_module, "READY_S", 0.0)
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) == 9:
            raise asyncio.CancelledError

    async with Managed(config, Tally()) as managed:
        monkeypatch.setattr("asyncio.sleep", pause)
        with pytest.raises(asyncio.CancelledError):
            await managed.run()
        monkeypatch.undo()
    assert paused == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.real
async def test_it_ends_with_the_daemon_even_when_it_hangs(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managed_module, "STOP_S", 0.1)
    async with Managed(config, Tally()) as managed:
        assert managed.pid
        pid = managed.pid
        os.kill(pid, signal.SIGSTOP)
    assert not is_running(pid)
    assert managed.pid is None


@pytest.mark.real
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_it_ends_when_the_daemon_is_killed(tmp_path: Path, how: signal.Signals) -> None:
    words = (sys.executable, "-c", DAEMON, str(tmp_path))
    daemon = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    assert daemon.stdout
    while not (line := (await daemon.stdout.readline()).decode()).strip().isdecimal():
        assert line, "the daemon ended"
    daemon.send_signal(how)
    await daemon.communicate()
    await ended(int(line))


@pytest.mark.real
async def test_one_that_was_left_behind_makes_room(config: Config) -> None:
    async with Managed(config, Tally()) as managed:
        port = int(managed.url.rpartition(":")[2])
    leftover = RealQBittorrent(config.server.data / "qbittorrent", web_port=port)
    leftover.start()
    assert leftover.process
    async with Managed(config, Tally()) as managed, engine_of(managed) as engine:
        assert leftover.process.wait(PATIENCE_S) == 0
        assert await engine.version()
        assert managed.url.endswith(f":{port}")


@pytest.mark.real
async def test_a_second_daemon_on_the_same_data_is_told_so_and_harms_nothing(config: Config) -> None:
    async with Managed(config, Tally()) as managed, engine_of(managed) as engine:
        with pytest.raises(BadConfig, match="another uuutorrent runs with the data directory"):
            async with Managed(config, Tally()):
                pass
        assert await engine.version()
    async with Managed(config, Tally()):
        pass


@pytest.mark.real
async def test_guessing_its_password_does_not_shut_us_out(config: Config) -> None:
    async with Managed(config, Tally()) as managed:
        for guess in range(7):
            async with QBittorrent(managed.url, managed.username, f"guess {guess}", Tally()) as other:
                with pytest.raises(Unreachable):
                    await other.version()
        async with engine_of(managed) as engine:
            assert await engine.version()
