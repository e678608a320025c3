"""What is qBittorrent's alone: real bytes, logins, kills, hangs, and what it says in other words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.swarm import MIB, Kind, Made, RealQBittorrent, Swarm
from uuutorrent.errors import Invalid, Unexpected, Unreachable
from uuutorrent.tally import Tally
from uuutorrent.torrents import qbittorrent, reported
from uuutorrent.torrents.engine import EngineId, Phase, Torrent
from uuutorrent.torrents.qbittorrent import QBittorrent
from uuutorrent.torrents.reported import PHASES

PATIENCE_S = 180


@pytest.fixture
def swarm(tmp_path: Path) -> Iterator[Swarm]:
    with Swarm(tmp_path / "swarm") as opened:
        yield opened


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealQBittorrent]:
    with RealQBittorrent(tmp_path / "qbittorrent") as started:
        yield started


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
async def engine(real: RealQBittorrent, tally: Tally) -> AsyncIterator[QBittorrent]:
    async with QBittorrent(real.url, real.username, real.password, tally) as opened:
        yield opened


async def seen(engine: QBittorrent, made: Made, *phases: Phase, above: float = -1.0) -> Torrent:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for torrent in await engine.torrents():
                known = made.infohash in (torrent.v1, torrent.v2)
                if known and torrent.progress > above and (not phases or torrent.phase in phases):
                    return torrent
            await asyncio.sleep(0.02)


async def until_answered(engine: QBittorrent) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(Unreachable):
                assert await engine.torrents() == ()
                return


@pytest.mark.real
@pytest.mark.parametrize(("kind", "magnet"), [("v1", False), ("v1", True), ("v2", True), ("hybrid", False)])
async def test_every_byte_arrives(
    real: RealQBittorrent, engine: QBittorrent, swarm: Swarm, kind: Kind, magnet: bool
) -> None:
    made = swarm.share("Show 第01話", {"a, b; c.mkv": 2 * MIB, "sub/notes.txt": b"text"}, kind=kind)
    place = real.downloads / "a folder, with; odd signs – 日本語"
    await engine.add(made.new(place, magnet=magnet))
    await seen(engine, made, Phase.SEEDING)
    assert {path: (place / path).read_bytes() for path in made.files} == made.files


@pytest.mark.real
async def test_peers_and_trackers_are_shown_while_it_downloads(
    engine: QBittorrent, swarm: Swarm, tmp_path: Path
) -> None:
    made = swarm.share("Slow.mkv", 2 * MIB, limit_bps=50_000)
    await engine.add(made.new(tmp_path))
    async with asyncio.timeout(PATIENCE_S):
        torrent = await seen(engine, made, Phase.DOWNLOADING)
        while not (
            torrent.down_bps
            and torrent.eta_s
            and torrent.downloaded_bytes
            and torrent.last_activity
            and await engine.peers(torrent.id)
        ):
            torrent = await seen(engine, made, Phase.DOWNLOADING)
    (peer,) = await engine.peers(torrent.id)
    assert peer.address == f"127.0.0.1:{swarm.port}"
    assert peer.progress == 1.0
    trackers = {tracker.url: tracker for tracker in await engine.trackers(torrent.id)}
    assert trackers[swarm.tracker.announce_url].status == "working"
    assert trackers["DHT"].status == "disabled"


@pytest.mark.real
async def test_what_it_uploads_is_counted_until_it_starts_anew(
    real: RealQBittorrent, engine: QBittorrent, swarm: Swarm, tmp_path: Path
) -> None:
    made = swarm.share("Passed on.mkv", 2 * MIB)
    await engine.add(made.new(real.downloads))
    await seen(engine, made, Phase.SEEDING)
    swarm.leave(made)
    magnet = made.magnet.replace(f":{swarm.port}", f":{real.peer_port}")
    with RealQBittorrent(tmp_path / "other") as other:
        async with QBittorrent(other.url, other.username, other.password, Tally()) as taker:
            await taker.add(replace(made.new(other.downloads, magnet=True), magnet=magnet))
            await seen(taker, made, Phase.SEEDING)
    async with asyncio.timeout(PATIENCE_S):
        while await engine.uploaded() < made.size_bytes:  # noqa: ASYNC110 - nothing tells but asking
            await asyncio.sleep(0.05)
    assert await engine.uploaded() < 2 * made.size_bytes

    real.stop()
    real.start()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(Unreachable):
                assert await engine.uploaded() == 0
                break


@pytest.mark.real
async def test_a_tracker_that_refuses_is_quoted(engine: QBittorrent, swarm: Swarm, tmp_path: Path) -> None:
    swarm.tracker.failure = "torrent not registered"
    made = swarm.share("Unregistered.mkv", MIB, seed=False)
    await engine.add(made.new(tmp_path))
    torrent = await seen(engine, made)
    async with asyncio.timeout(PATIENCE_S):
        while (await engine.trackers(torrent.id))[-1].message != "torrent not registered":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert (await engine.trackers(torrent.id))[-1].status == "not working"


@pytest.mark.real
async def test_a_magnet_without_peers_takes_over_a_torrent_file(
    engine: QBittorrent, swarm: Swarm, tmp_path: Path
) -> None:
    made = swarm.share("Stuck.mkv", MIB, seed=False)
    await engine.add(made.new(tmp_path, magnet=True))
    await seen(engine, made, Phase.METADATA)
    await engine.add(made.new(tmp_path))
    torrent = await seen(engine, made, Phase.STALLED, Phase.DOWNLOADING)
    assert torrent.size_bytes == MIB


@pytest.mark.real
async def test_a_magnet_that_is_no_magnet_is_invalid(
    engine: QBittorrent, swarm: Swarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qbittorrent, "ADD_TRIES_S", (0.01,))
    made = swarm.share("Damaged.mkv", MIB, seed=False)
    with pytest.raises(Invalid, match="did not take this torrent"):
        await engine.add(replace(made.new(tmp_path, magnet=True), magnet="magnet:?xt=urn:btih:short"))


@pytest.mark.real
async def test_a_download_killed_half_way_is_finished_after_a_restart(
    real: RealQBittorrent, engine: QBittorrent, swarm: Swarm
) -> None:
    made = swarm.share("Killed.mkv", 4 * MIB, limit_bps=2_000_000)
    await engine.add(made.new(real.downloads, tags=("uid:1",), category="u/ann"))
    await seen(engine, made, above=0.2)
    real.kill()
    with pytest.raises(Unreachable, match="cannot be reached at http://127"):
        await engine.torrents()
    real.start()
    torrent = await seen(engine, made, Phase.SEEDING)
    assert (torrent.tags, torrent.category) == (frozenset({"uid:1"}), "u/ann")
    assert (real.downloads / made.name).read_bytes() == made.files[made.name]


@pytest.mark.real
async def test_a_lost_file_is_missing_after_a_restart_and_a_recheck_fetches_it_again(
    real: RealQBittorrent, engine: QBittorrent, swarm: Swarm
) -> None:
    made = swarm.share("Lost.mkv", MIB)
    await engine.add(made.new(real.downloads))
    await seen(engine, made, Phase.SEEDING)
    real.stop()
    (real.downloads / made.name).unlink()
    real.start()
    torrent = await seen(engine, made, Phase.MISSING)
    assert not torrent.is_complete
    await engine.recheck([torrent.id])
    await seen(engine, made, Phase.SEEDING)
    assert (real.downloads / made.name).read_bytes() == made.files[made.name]


@pytest.mark.real
async def test_a_folder_that_cannot_be_written_is_an_error(engine: QBittorrent, swarm: Swarm, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    made = swarm.share("Nowhere.mkv", MIB)
    await engine.add(made.new(tmp_path / "file" / "below"))
    assert not (await seen(engine, made, Phase.ERROR)).is_complete


@pytest.mark.real
async def test_a_refused_login_is_tried_once_and_then_not_again(tmp_path: Path, tally: Tally) -> None:
    banning = {"WebUI\\MaxAuthenticationFailCount": "3"}
    with RealQBittorrent(tmp_path, settings=banning) as real:
        async with QBittorrent(real.url, real.username, "wrong", tally) as engine:
            asked = [engine.version(), engine.torrents(), *(engine.torrents() for _ in range(8))]
            for answer in await asyncio.gather(*asked, return_exceptions=True):
                assert isinstance(answer, Unreachable)
                assert "correct them and restart uuutorrent" in answer.message
            with pytest.raises(Unreachable, match="refuses the username and password"):
                await engine.torrents()
        assert real.log.count("login failure") == 1
        async with QBittorrent(real.url, real.username, real.password, tally) as engine:
            assert await engine.torrents() == ()


@pytest.mark.real
async def test_a_ban_is_told_and_waited_out(tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    with RealQBittorrent(tmp_path, settings={"WebUI\\MaxAuthenticationFailCount": "1"}) as real:
        async with QBittorrent(real.url, real.username, "wrong", tally) as engine:
            with pytest.raises(Unreachable):
                await engine.version()
        async with QBittorrent(real.url, real.username, real.password, tally) as engine:
            for _ in range(3):
                with pytest.raises(Unreachable, match="has banned this address"):
                    await engine.version()
        assert tally.counters[("dependency_requests", ("qbittorrent", "timeout"))] == 2, "each asked once"
        monkeypatch.setattr(qbittorrent, "BANNED_S", 0.0)
        async with QBittorrent(real.url, real.username, real.password, tally) as engine:
            with pytest.raises(Unreachable, match="has banned this address"):
                await engine.version()
            real.stop()  # which forgets whom it banned
            real.start()
            assert await engine.version()


@pytest.mark.real
async def test_an_operator_can_have_a_refused_login_tried_again(tmp_path: Path, tally: Tally) -> None:
    with RealQBittorrent(tmp_path) as real:
        async with QBittorrent(real.url, real.username, "repaired later", tally) as engine:
            with pytest.raises(Unreachable):
                await engine.version()
            real.stop()
            replace(real, password="repaired later").write()
            real.start()
            with pytest.raises(Unreachable):
                await engine.version()
            assert await engine.try_again() == await engine.version()


@pytest.mark.real
async def test_an_expired_login_is_renewed_in_silence(real: RealQBittorrent, engine: QBittorrent) -> None:
    await engine.version()
    real.stop()
    real.start()
    assert await asyncio.gather(*(engine.torrents() for _ in range(5))) == [()] * 5


@pytest.mark.real
async def test_a_hung_qbittorrent_does_not_hang_its_callers(
    real: RealQBittorrent, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qbittorrent, "READ_S", 1.0)
    async with QBittorrent(real.url, real.username, real.password, tally) as engine:
        await until_answered(engine)
        real.freeze()
        monkeypatch.setattr(qbittorrent, "DEADLINE_S", 0.3)
        for answer in await asyncio.gather(*(engine.torrents() for _ in range(20)), return_exceptions=True):
            assert isinstance(answer, Unreachable)
        monkeypatch.undo()
        real.thaw()
        await until_answered(engine)


async def test_nothing_listening_is_unreachable_and_says_where(tally: Tally) -> None:
    async with QBittorrent("http://127.0.0.1:9/", "admin", "", tally) as engine:
        with pytest.raises(Unreachable, match=r"cannot be reached at http://127\.0\.0\.1:9"):
            await engine.version()
    assert tally.counters == {("dependency_requests", ("qbittorrent", "timeout")): 1}


async def test_something_else_at_the_address_is_unexpected(swarm: Swarm, tally: Tally) -> None:
    async with QBittorrent(swarm.tracker.url, "admin", "", tally) as engine:
        for call in (engine.version(), engine.torrents()):
            with pytest.raises(Unexpected, match="does not speak its language"):
                await call


async def test_a_proxy_of_the_environment_is_not_for_the_engine(
    swarm: Swarm, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with QBittorrent(swarm.tracker.url, "admin", "", tally) as engine:
        with pytest.raises(Unexpected):
            await engine.version()


async def test_the_word_for_every_torrent_never_reaches_it(tally: Tally) -> None:
    async with QBittorrent("http://127.0.0.1:9/", "admin", "", tally) as engine:
        with pytest.raises(ValueError, match="every torrent"):
            await engine.delete([EngineId("all")], with_files=True)
        with pytest.raises(ValueError, match="commas"):
            await engine.tag([EngineId("0" * 40)], add=["a,b"])
        await engine.delete([], with_files=True)


def row(**changed: object) -> Mapping[str, object]:
    plain = dict.fromkeys(
        ("size", "completed", "dlspeed", "upspeed", "uploaded", "num_complete", "num_seeds", "num_incomplete"), 0
    )
    plain |= dict.fromkeys(("num_leechs", "added_on", "completion_on", "dl_limit", "up_limit", "eta"), 0)
    plain |= dict.fromkeys(("last_activity", "seeding_time", "downloaded", "uploaded_session"), 0)
    words = dict.fromkeys(("hash", "infohash_v1", "infohash_v2", "name", "save_path", "content_path", "tags"), "")
    return {
        **plain,
        **words,
        "category": "",
        "progress": 0.0,
        "ratio": 0,
        "seq_dl": False,
        "state": "metaDL",
        **changed,
    }


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        ("pausedDL", Phase.PAUSED),
        ("stoppedDL", Phase.PAUSED),
        ("pausedUP", Phase.COMPLETE),
        ("stoppedUP", Phase.COMPLETE),
        ("queuedUP", Phase.COMPLETE),
        ("forcedDL", Phase.DOWNLOADING),
        ("forcedMetaDL", Phase.METADATA),
        ("forcedUP", Phase.SEEDING),
        ("stalledUP", Phase.SEEDING),
        ("checkingResumeData", Phase.CHECKING),
        ("missingFiles", Phase.MISSING),
        ("moving", Phase.MOVING),
        ("a state of some later version", Phase.CHECKING),
    ],
)
def test_states_of_old_and_new_versions_are_one_phase(state: str, phase: Phase) -> None:
    assert reported.torrent(row(state=state)).phase is phase


def test_every_phase_but_adding_can_be_reported() -> None:
    assert set(PHASES.values()) == set(Phase) - {Phase.ADDING}


def test_a_stalled_download_that_receives_bytes_is_downloading() -> None:
    assert reported.torrent(row(state="stalledDL", dlspeed=1)).phase is Phase.DOWNLOADING
    assert reported.torrent(row(state="stalledDL")).phase is Phase.STALLED


def test_what_is_complete_downloads_nothing_though_its_average_fades_slowly() -> None:
    assert reported.torrent(row(dlspeed=55_000, progress=1)).down_bps == 0
    assert reported.torrent(row(dlspeed=55_000, progress=0.99)).down_bps == 55_000


def test_words_for_unknown_are_none_or_zero() -> None:
    never = reported.torrent(row(eta=8_640_000, completion_on=-1, ratio=-1, num_complete=-1, dl_limit=-1))
    assert (never.eta_s, never.completed_at, never.ratio, never.seeds, never.down_limit_bps) == (None, None, 0, 0, 0)
    assert reported.torrent(row(completion_on=2**32 - 1)).completed_at is None
    assert reported.torrent(row(eta=60, progress=1)).eta_s is None
    assert reported.torrent(row(eta=60, progress=0.5)).eta_s == 60
