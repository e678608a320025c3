"""What every engine must do: the tests' own, the distribution's qBittorrent, and a newer one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.newer import Program, newer_qbittorrent
from tests.swarm import MIB, Kind, Made, RealQBittorrent, Swarm
from uuutorrent.errors import Conflict, Invalid, Missing
from uuutorrent.tally import Tally
from uuutorrent.torrents.engine import Engine, EngineId, Phase, Torrent
from uuutorrent.torrents.metainfo import parse_torrent
from uuutorrent.torrents.qbittorrent import QBittorrent
from uuutorrent.torrents.views.incoming import InPieces

PATIENCE_S = 180
NOBODY = EngineId("0" * 40)
PROGRAMS: dict[str, Callable[[], Program]] = {
    "qbittorrent": lambda: Program(("qbittorrent-nox",)),
    "newer-qbittorrent": newer_qbittorrent,
}


@dataclass
class Bench:
    """An engine at work, and a swarm to fetch from."""

    engine: Engine
    swarm: Swarm
    downloads: Path
    fake: FakeEngine | None = None

    async def find(self, made: Made) -> Torrent | None:
        found = [t for t in await self.engine.torrents() if made.infohash in (t.v1, t.v2)]
        assert len(found) <= 1
        return found[0] if found else None

    async def until(self, made: Made, *phases: Phase) -> Torrent:
        """Until it is there, in one of these phases when some are given."""
        return await self._until(made, lambda torrent: not phases or torrent.phase in phases)

    async def finished(self, made: Made) -> Torrent:
        if self.fake:
            self.fake.complete(made.infohash, made.files)
        return await self.until(made, Phase.SEEDING)

    async def checked(self, made: Made) -> Torrent:
        if self.fake:
            self.fake.complete(made.infohash)
        return await self.until(made, Phase.SEEDING)

    async def metadata(self, made: Made) -> Torrent:
        if self.fake:
            self.fake.metadata(made.infohash, made.name, {p: len(c) for p, c in made.files.items()}, v2=made.v2)
        return await self._until(made, lambda torrent: torrent.size_bytes > 0)

    async def gone(self, made: Made) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await self.find(made):  # noqa: ASYNC110 - nothing tells but asking
                await asyncio.sleep(0.02)

    async def _until(self, made: Made, enough: Callable[[Torrent], bool]) -> Torrent:
        async with asyncio.timeout(PATIENCE_S):
            while (torrent := await self.find(made)) is None or not enough(torrent):  # noqa: ASYNC110 - nothing tells but asking
                await asyncio.sleep(0.02)
        return torrent


@pytest.fixture(scope="module")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swarm]:
    with Swarm(tmp_path_factory.mktemp("swarm")) as opened:
        yield opened


@pytest.fixture(scope="module")
def qbittorrents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], RealQBittorrent]]:
    """Each program is started once, when it is first asked for."""
    started: dict[str, RealQBittorrent] = {}

    def start(which: str) -> RealQBittorrent:
        if which not in started:
            program = PROGRAMS[which]()
            folder = tmp_path_factory.mktemp(which)
            started[which] = RealQBittorrent(folder, program.words, program.env).__enter__()
        return started[which]

    yield start
    for real in started.values():
        real.__exit__()


@pytest.fixture(params=["fake", *(pytest.param(name, marks=pytest.mark.real) for name in PROGRAMS)])
async def bench(
    request: pytest.FixtureRequest,
    swarm: Swarm,
    tmp_path: Path,
    qbittorrents: Callable[[str], RealQBittorrent],
) -> AsyncIterator[Bench]:
    if request.param == "fake":
        fake = FakeEngine()
        yield Bench(fake, swarm, tmp_path, fake)
        return
    real = qbittorrents(request.param)
    async with QBittorrent(real.url, real.username, real.password, Tally()) as engine:
        yield Bench(engine, swarm, tmp_path)


async def test_says_its_version(bench: Bench) -> None:
    assert (await bench.engine.version()).startswith("v")


@pytest.mark.parametrize("kind", ["v1", "v2", "hybrid"])
async def test_a_torrent_file_is_there_with_all_that_was_said_about_it(bench: Bench, kind: Kind) -> None:
    made = bench.swarm.share(f"Show, {kind} [1080p]; 第01話.mkv", 64 << 10, kind=kind, seed=False)
    await bench.engine.add(made.new(bench.downloads, category="u/ann", tags=("uuutorrent", "uid:1")))
    torrent = await bench.until(made, Phase.DOWNLOADING, Phase.STALLED)
    assert (torrent.v1, torrent.v2) == (made.v1, made.v2)
    assert (torrent.name, torrent.size_bytes) == (made.name, made.size_bytes)
    assert (torrent.category, torrent.tags) == ("u/ann", frozenset({"uuutorrent", "uid:1"}))
    assert (torrent.save_path, torrent.content_path) == (str(bench.downloads), str(bench.downloads / made.name))
    assert (torrent.progress, torrent.eta_s, torrent.completed_at) == (0.0, None, None)
    assert not torrent.is_complete


async def test_a_finished_torrent_is_complete_and_has_no_eta(bench: Bench) -> None:
    made = bench.swarm.share("Done", {"a.mkv": MIB, "sub/b.srt": 5000})
    await bench.engine.add(made.new(bench.downloads))
    torrent = await bench.finished(made)
    assert torrent.is_complete
    assert torrent.completed_bytes == made.size_bytes
    assert torrent.eta_s is None
    assert torrent.completed_at
    files = await bench.engine.files(torrent.id)
    assert {file.path: (file.size_bytes, file.progress) for file in files} == {
        "Done/a.mkv": (MIB, 1.0),
        "Done/sub/b.srt": (5000, 1.0),
    }
    assert {path: (bench.downloads / path).read_bytes() for path in made.files} == made.files


async def test_adding_again_changes_nothing_and_is_no_error(bench: Bench) -> None:
    made = bench.swarm.share("Twice.mkv", 64 << 10, seed=False)
    await bench.engine.add(made.new(bench.downloads, tags=("first",), stopped=True))
    await bench.until(made)
    await bench.engine.add(made.new(bench.downloads / "elsewhere", tags=("second",)))
    await bench.engine.add(made.new(bench.downloads / "elsewhere", magnet=True))
    torrent = await bench.until(made)
    assert (torrent.save_path, torrent.tags) == (str(bench.downloads), frozenset({"first"}))


async def test_damaged_bytes_are_invalid(bench: Bench) -> None:
    made = bench.swarm.share("Damaged.mkv", 64 << 10, seed=False)
    with pytest.raises(Invalid, match=r"cannot read this \.torrent"):
        await bench.engine.add(replace(made.new(bench.downloads), metainfo=b"<html>not here</html>"))
    assert await bench.find(made) is None


async def test_a_magnet_has_no_files_until_its_metadata_is_there(bench: Bench) -> None:
    made = bench.swarm.share("Magnet", {"a.mkv": MIB, "b.mkv": MIB}, seed=False)
    await bench.engine.add(made.new(bench.downloads, magnet=True))
    torrent = await bench.until(made, Phase.METADATA)
    assert (torrent.size_bytes, await bench.engine.files(torrent.id)) == (0, ())
    with pytest.raises(Conflict, match="wait for the metadata"):
        await bench.engine.set_priority(torrent.id, [0], 0)


@pytest.mark.parametrize("kind", ["v1", "v2", "hybrid"])
async def test_a_magnet_gets_its_metadata_and_keeps_its_hashes(bench: Bench, kind: Kind) -> None:
    made = bench.swarm.share(f"From magnet {kind}", {"a.mkv": MIB, "b.mkv": MIB}, kind=kind)
    await bench.engine.add(made.new(bench.downloads, magnet=True))
    torrent = await bench.metadata(made)
    assert (torrent.v1, torrent.v2, torrent.name) == (made.v1, made.v2, made.name)
    assert {file.path for file in await bench.engine.files(torrent.id)} >= set(made.files)


async def test_a_stopped_add_waits_for_start_and_a_stop_ends_seeding(bench: Bench) -> None:
    made = bench.swarm.share("Stopped.mkv", MIB)
    await bench.engine.add(made.new(bench.downloads, stopped=True))
    torrent = await bench.until(made, Phase.PAUSED)
    await bench.engine.start([torrent.id])
    await bench.finished(made)
    await bench.engine.stop([torrent.id])
    assert (await bench.until(made, Phase.COMPLETE)).is_complete
    await bench.engine.start([torrent.id])
    await bench.until(made, Phase.SEEDING)


async def test_a_download_can_be_stopped(bench: Bench) -> None:
    made = bench.swarm.share("Interrupted.mkv", MIB, limit_bps=50_000)
    await bench.engine.add(made.new(bench.downloads))
    torrent = await bench.until(made, Phase.DOWNLOADING, Phase.STALLED)
    await bench.engine.stop([torrent.id])
    torrent = await bench.until(made, Phase.PAUSED)
    assert not torrent.is_complete


@pytest.mark.parametrize("with_files", [True, False])
async def test_delete_takes_the_files_only_when_asked(bench: Bench, with_files: bool) -> None:
    made = bench.swarm.share(f"Deleted {with_files}", {"a.mkv": 64 << 10})
    await bench.engine.add(made.new(bench.downloads))
    torrent = await bench.finished(made)
    await bench.engine.delete([torrent.id], with_files=with_files)
    await bench.gone(made)
    async with asyncio.timeout(PATIENCE_S):
        while with_files and (bench.downloads / made.name).exists():  # noqa: ASYNC110 - nothing tells but asking
            await asyncio.sleep(0.02)
    assert (bench.downloads / made.name / "a.mkv").exists() is not with_files


async def test_a_recheck_of_whole_files_ends_whole(bench: Bench) -> None:
    made = bench.swarm.share("Rechecked.mkv", MIB)
    await bench.engine.add(made.new(bench.downloads))
    torrent = await bench.finished(made)
    await bench.engine.recheck([torrent.id])
    assert (await bench.checked(made)).is_complete


async def test_a_reannounce_leaves_a_download_as_it_is(bench: Bench) -> None:
    made = bench.swarm.share("Asked again.mkv", 64 << 10, seed=False)
    await bench.engine.add(made.new(bench.downloads))
    torrent = await bench.until(made, Phase.DOWNLOADING, Phase.STALLED)
    assert (torrent.downloaded_bytes, torrent.seeding_s, torrent.session_up_bytes) == (0, 0, 0)
    await bench.engine.reannounce([torrent.id])
    await bench.until(made, Phase.DOWNLOADING, Phase.STALLED)


async def test_unknown_torrents_are_no_error_for_verbs_on_many(bench: Bench) -> None:
    await bench.engine.start([NOBODY])
    await bench.engine.stop([NOBODY])
    await bench.engine.recheck([NOBODY])
    await bench.engine.reannounce([NOBODY])
    await bench.engine.tag([NOBODY], add=["x"])
    await bench.engine.delete([NOBODY], with_files=True)


async def test_unknown_torrents_are_missing_for_verbs_on_one(bench: Bench) -> None:
    engine = bench.engine
    for call in (
        engine.files(NOBODY),
        engine.trackers(NOBODY),
        engine.peers(NOBODY),
        engine.set_priority(NOBODY, [0], 1),
        engine.set_sequential(NOBODY, True),
        engine.set_limits(NOBODY, down_bps=1, up_bps=1),
    ):
        with pytest.raises(Missing):
            await call


async def test_files_can_be_left_out_and_taken_in(bench: Bench) -> None:
    made = bench.swarm.share("Batch", {"01.mkv": 64 << 10, "02.mkv": 64 << 10, "03.mkv": 64 << 10}, seed=False)
    await bench.engine.add(made.new(bench.downloads))
    torrent = await bench.until(made, Phase.DOWNLOADING, Phase.STALLED)
    await bench.engine.set_priority(torrent.id, [0, 2], 0)
    assert [file.priority for file in await bench.engine.files(torrent.id)] == [0, 1, 0]
    await bench.engine.set_priority(torrent.id, [2], 7)
    assert [file.priority for file in await bench.engine.files(torrent.id)] == [0, 1, 7]
    with pytest.raises(Invalid, match="no such file"):
        await bench.engine.set_priority(torrent.id, [9], 1)


@pytest.mark.parametrize("kind", ["v1", "v2", "hybrid"])
async def test_size_progress_and_completion_are_those_of_the_chosen_files(bench: Bench, kind: Kind) -> None:
    made = bench.swarm.share("Chosen", {"a.mkv": MIB + 3, "b.mkv": MIB + 5, "c.mkv": MIB + 7}, kind=kind)
    await bench.engine.add(made.new(bench.downloads, stopped=True))
    torrent = await bench.until(made, Phase.PAUSED)
    order = {file.path: file.index for file in await bench.engine.files(torrent.id)}
    await bench.engine.set_priority(torrent.id, [order["Chosen/a.mkv"], order["Chosen/c.mkv"]], 0)
    await bench.engine.start([torrent.id])
    done = await bench.finished(made)
    files = {file.path: file for file in await bench.engine.files(done.id)}

    assert list(order) == list(made_paths(made))
    assert done.is_complete
    assert MIB + 5 <= done.size_bytes < 2 * MIB  # in whole pieces
    assert files["Chosen/b.mkv"].progress == 1.0
    assert files["Chosen/a.mkv"].progress < 1.0
    assert (bench.downloads / "Chosen/b.mkv").read_bytes() == made.files["Chosen/b.mkv"]


def made_paths(made: Made) -> list[str]:
    """Its files in the order that the .torrent lists them."""
    return [file.path for file in parse_torrent(made.metainfo).files]


async def test_order_and_limits_are_set_and_shown(bench: Bench) -> None:
    made = bench.swarm.share("Limited.mkv", 64 << 10, seed=False)
    await bench.engine.add(made.new(bench.downloads))
    torrent = await bench.until(made, Phase.DOWNLOADING, Phase.STALLED)
    await bench.engine.set_sequential(torrent.id, True)
    await bench.engine.set_sequential(torrent.id, True)
    await bench.engine.set_limits(torrent.id, down_bps=100_352, up_bps=50_176)
    torrent = await bench.until(made)
    assert (torrent.sequential, torrent.down_limit_bps, torrent.up_limit_bps) == (True, 100_352, 50_176)
    await bench.engine.set_sequential(torrent.id, False)
    await bench.engine.set_limits(torrent.id, down_bps=0, up_bps=0)
    torrent = await bench.until(made)
    assert (torrent.sequential, torrent.down_limit_bps, torrent.up_limit_bps) == (False, 0, 0)


async def test_all_uploads_together_are_limited_and_counted(bench: Bench) -> None:
    await bench.engine.set_up_limit(65_536)
    assert await bench.engine.up_limit() == 65_536
    await bench.engine.set_up_limit(0)
    assert await bench.engine.up_limit() == 0
    assert await bench.engine.uploaded() >= 0


async def test_torrents_are_chosen_by_id_and_by_tag(bench: Bench) -> None:
    one = bench.swarm.share("One.mkv", 64 << 10, seed=False)
    two = bench.swarm.share("Two.mkv", 64 << 10, seed=False)
    for made in (one, two):
        await bench.engine.add(made.new(bench.downloads, stopped=True))
    first, second = await bench.until(one), await bench.until(two)
    await bench.engine.tag([first.id, second.id], add=["both", f"tag of {first.id}"])
    await bench.engine.tag([second.id], remove=[f"tag of {first.id}"])
    assert [t.id for t in await bench.engine.torrents(tag=f"tag of {first.id}")] == [first.id]
    assert {t.id for t in await bench.engine.torrents(tag="both")} >= {first.id, second.id}
    assert [t.id for t in await bench.engine.torrents(ids=[second.id])] == [second.id]
    assert await bench.engine.torrents(ids=[]) == ()


async def test_it_tells_which_pieces_have_come(bench: Bench) -> None:
    made = bench.swarm.share("pieces", {"a.mkv": 100_001, "b.mkv": 200_003})
    none = bench.swarm.share("no pieces", {"a.mkv": 100_001}, seed=False)
    for one in (none, made):
        await bench.engine.add(one.new(bench.downloads))
    nothing = await bench.until(none, Phase.DOWNLOADING, Phase.STALLED)
    torrent = await bench.finished(made)
    if bench.fake:
        bench.fake.pieces_came(made.infohash, 1 << 16, [True] * 5)
    files, pieces = await bench.engine.files(torrent.id), await bench.engine.pieces(torrent.id)

    assert not any((await bench.engine.pieces(nothing.id)).come)
    assert all(pieces.come)
    assert pieces.size_bytes * len(pieces.come) >= made.size_bytes
    for file in files:
        assert await InPieces(bench.engine, torrent.id, file).whole(0, file.size_bytes) == file.size_bytes
