"""One poller, many followers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.swarm import MIB, RealQBittorrent, Swarm, make
from uuutorrent.tally import Tally
from uuutorrent.torrents import live as live_module
from uuutorrent.torrents.engine import Phase, Snapshot, Torrent
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.qbittorrent import QBittorrent

PATIENCE_S = 180
POLL_S = 0.01


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def live(engine: FakeEngine) -> AsyncIterator[Live]:
    """A poller that runs, and has looked once."""
    live = Live(engine, POLL_S)
    async with running(live):
        await live.refresh()
        yield live


@asynccontextmanager
async def running(live: Live) -> AsyncIterator[None]:
    task = asyncio.create_task(live.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(live: Live, enough: Callable[[Snapshot], bool]) -> Snapshot:
    async with asyncio.timeout(PATIENCE_S), aclosing(live.changes()) as changes:
        async for snapshot in changes:
            if enough(snapshot):
                return snapshot
    raise AssertionError("the changes ended")


async def some_polls(engine: FakeEngine, n: int = 3) -> None:
    polls = engine.polls
    async with asyncio.timeout(PATIENCE_S):
        while engine.polls < polls + n:  # noqa: ASYNC110 - the fake counts, and tells nobody
            await asyncio.sleep(POLL_S)


async def test_before_the_first_answer_it_says_that_nobody_asked() -> None:
    snapshot = Live(FakeEngine()).snapshot
    assert (snapshot.seq, snapshot.at, snapshot.engine_up) == (0, None, False)
    assert snapshot.trouble


async def test_a_follower_gets_the_present_first_and_then_what_changes(
    live: Live, engine: FakeEngine, tmp_path: Path
) -> None:
    made = make(tmp_path, "Show.mkv", MIB)
    async with asyncio.timeout(PATIENCE_S), aclosing(live.changes()) as changes:
        assert (await anext(changes)).torrents == ()
        await engine.add(made.new(tmp_path))
        assert (await anext(changes)).torrents[0].phase is Phase.DOWNLOADING
        engine.progress(made.v1, 0.5)
        assert (await anext(changes)).torrents[0].progress == 0.5


@pytest.mark.parametrize("kind", ["v1", "v2", "hybrid"])
async def test_a_torrent_is_found_by_any_of_its_hashes(
    live: Live, engine: FakeEngine, tmp_path: Path, kind: str
) -> None:
    made = make(tmp_path, "Show.mkv", MIB, kind="hybrid" if kind == "hybrid" else "v1" if kind == "v1" else "v2")
    await engine.add(made.new(tmp_path))
    snapshot = await live.refresh()
    for v1, v2 in ((made.v1, None), (None, made.v2), (made.v1, made.v2), ("0" * 40, made.v2), (made.v1, "0" * 64)):
        found = snapshot.find(v1, v2)
        assert (found is not None) is bool((v1 and v1 == made.v1) or (v2 and v2 == made.v2))
    assert snapshot.find(None, None) is None


async def test_looks_that_see_nothing_new_wake_nobody(live: Live, engine: FakeEngine, tmp_path: Path) -> None:
    await engine.add(make(tmp_path, "Show.mkv", MIB).new(tmp_path))
    before = await live.refresh()
    async with aclosing(live.changes()) as changes:
        assert await anext(changes) == before
        waiting = asyncio.ensure_future(anext(changes))
        await some_polls(engine, 5)
        assert not waiting.done()
        engine.change(before.torrents[0].v1, up_bps=1)
        async with asyncio.timeout(PATIENCE_S):
            assert (await waiting).seq == before.seq + 1
    assert before.at
    assert live.snapshot.at
    assert live.snapshot.at > before.at, "when it was last seen goes on all the same"


async def test_a_slow_follower_gets_the_newest_and_skips_the_rest(
    live: Live, engine: FakeEngine, tmp_path: Path
) -> None:
    made = make(tmp_path, "Show.mkv", MIB)
    await engine.add(made.new(tmp_path))
    await live.refresh()
    async with asyncio.timeout(PATIENCE_S), aclosing(live.changes()) as changes:
        await anext(changes)
        for percent in range(10):
            engine.progress(made.v1, percent / 100)
            await live.refresh()
        assert (await anext(changes)).torrents[0].progress == 0.09


async def test_followers_are_counted_while_they_follow(live: Live) -> None:
    assert live.lookers == 0
    async with aclosing(live.changes()) as one, aclosing(live.changes()) as two:
        await anext(one)
        await anext(two)
        assert live.lookers == 2
    assert live.lookers == 0


async def test_a_cancelled_follower_is_not_counted_any_more(live: Live) -> None:
    async def follow() -> None:
        async for _ in live.changes():
            pass

    task = asyncio.create_task(follow())
    async with asyncio.timeout(PATIENCE_S):
        while not live.lookers:  # noqa: ASYNC110 - nothing tells but looking
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert live.lookers == 0


async def test_a_poke_is_seen_at_once_though_nobody_looks(live: Live, engine: FakeEngine, tmp_path: Path) -> None:
    made = make(tmp_path, "Show.mkv", MIB)
    await some_polls(engine, 0)
    await engine.add(made.new(tmp_path))
    live.poke()
    async with asyncio.timeout(PATIENCE_S):
        while live.snapshot.find(made.v1) is None:  # noqa: ASYNC110 - a follower would be a looker
            await asyncio.sleep(0)
    assert live.lookers == 0


async def test_many_who_ask_for_a_fresh_look_share_it(live: Live, engine: FakeEngine) -> None:
    polls = engine.polls
    await asyncio.gather(*(live.refresh() for _ in range(50)))
    assert engine.polls <= polls + 3


async def test_a_refresh_works_before_the_poller_runs(engine: FakeEngine) -> None:
    assert (await Live(engine, POLL_S).refresh()).engine_up


async def test_while_the_engine_is_away_the_last_look_stays_and_it_heals_by_itself(
    live: Live, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "RETRIES_S", (POLL_S,))
    made = make(tmp_path, "Show.mkv", MIB)
    await engine.add(made.new(tmp_path))
    up = await live.refresh()
    engine.go_down("cannot be reached")
    away = await until(live, lambda snapshot: not snapshot.engine_up)
    assert away.trouble == "qBittorrent: cannot be reached"
    assert away.torrents == up.torrents
    assert away.find(made.v1)
    assert away.at
    await some_polls(engine)
    assert live.snapshot.seq == away.seq, "still away is nothing new"
    engine.come_back()
    back = await until(live, lambda snapshot: snapshot.engine_up)
    assert back.trouble == ""


async def test_a_refresh_while_the_engine_is_away_says_so(live: Live, engine: FakeEngine) -> None:
    engine.go_down()
    snapshot = await live.refresh()
    assert not snapshot.engine_up
    assert snapshot.trouble


async def test_progress_that_reads_zero_while_checking_is_not_shown_as_loss(
    live: Live, engine: FakeEngine, tmp_path: Path
) -> None:
    made = make(tmp_path, "Show.mkv", MIB)
    await engine.add(made.new(tmp_path))
    engine.progress(made.v1, 0.6)
    await live.refresh()
    engine.change(made.v1, phase=Phase.CHECKING, progress=0.0)
    for _ in range(2):
        (checking,) = (await live.refresh()).torrents
        assert (checking.phase, checking.progress, checking.completed_bytes) == (Phase.CHECKING, 0.6, round(MIB * 0.6))
        assert not checking.is_complete
    engine.change(made.v1, phase=Phase.DOWNLOADING, progress=0.3)
    assert (await live.refresh()).torrents[0].progress == 0.3, "what the check found is the truth"


async def test_a_torrent_that_is_gone_is_gone(live: Live, engine: FakeEngine, tmp_path: Path) -> None:
    made = make(tmp_path, "Show.mkv", MIB)
    await engine.add(made.new(tmp_path))
    assert (await live.refresh()).find(made.v1)
    engine.lose(made.v1)
    assert (await until(live, lambda snapshot: not snapshot.torrents)).find(made.v1) is None


async def test_an_engine_that_is_still_loading_is_not_believed_yet(engine: FakeEngine, tmp_path: Path) -> None:
    torrents = [make(tmp_path, f"{n}.mkv", 1000) for n in range(5)]

    class Loading(FakeEngine):
        async def torrents(self, **which: object) -> tuple[Torrent, ...]:
            if torrents:
                await self.add(torrents.pop().new(tmp_path))
            return await super().torrents()

    assert len((await Live(Loading(), POLL_S).refresh()).torrents) == 5


class TestWithManyTorrents:
    """Then only what moves is asked for, and now and then everything."""

    @pytest.fixture(autouse=True)
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live_module, "FEW", 0)

    async def test_what_moves_is_followed(
        self, live: Live, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live_module, "FULL_S", 3600)
        moving, still = make(tmp_path, "Moving.mkv", MIB), make(tmp_path, "Still.mkv", MIB)
        await engine.add(moving.new(tmp_path))
        await engine.add(still.new(tmp_path))
        engine.complete(still.v1)

        def half(snapshot: Snapshot) -> bool:
            found = snapshot.find(moving.v1)
            return found is not None and found.progress == 0.5

        async with aclosing(live.changes()) as looking:
            await anext(looking)
            await some_polls(engine)  # the first who looks has everything asked for once
            engine.change(still.v1, up_bps=5)
            engine.progress(moving.v1, 0.5)
            seen = (await until(live, half)).find(still.v1)
        assert seen
        assert seen.up_bps == 0, "nobody asked about what stands still"
        refreshed = (await live.refresh()).find(still.v1)
        assert refreshed
        assert refreshed.up_bps == 5

    async def test_everything_is_asked_for_now_and_then(
        self, live: Live, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(live_module, "FULL_S", POLL_S)
        made = make(tmp_path, "Found.mkv", MIB)
        await engine.add(made.new(tmp_path))
        await until(live, lambda snapshot: snapshot.find(made.v1) is not None)

    async def test_a_magnet_that_gets_another_id_is_not_lost(
        self, live: Live, engine: FakeEngine, tmp_path: Path
    ) -> None:
        made = make(tmp_path, "Hybrid.mkv", MIB, kind="hybrid")
        await engine.add(made.new(tmp_path, magnet=True))
        before = (await live.refresh()).find(made.v1)
        assert before
        engine.metadata(made.v1, made.name, {made.name: MIB}, v2=made.v2)
        after = (await until(live, lambda snapshot: snapshot.torrents[0].size_bytes > 0)).find(made.v1)
        assert after
        assert after.id != before.id


@pytest.mark.real
async def test_a_real_download_is_followed_through_a_kill(tmp_path: Path) -> None:
    with Swarm(tmp_path / "swarm") as swarm, RealQBittorrent(tmp_path / "qbittorrent") as real:
        made = swarm.share("Show.mkv", 4 * MIB, limit_bps=2 * MIB)
        async with QBittorrent(real.url, real.username, real.password, Tally()) as engine:
            live = Live(engine, 0.1)
            async with running(live):
                await live.refresh()
                await engine.add(made.new(real.downloads))
                live.poke()
                await until(live, lambda snapshot: bool(snapshot.torrents) and snapshot.torrents[0].progress > 0.3)
                real.kill()
                away = await until(live, lambda snapshot: not snapshot.engine_up)
                assert away.find(made.v1)
                real.start()
                await until(live, lambda snapshot: any(torrent.is_complete for torrent in snapshot.torrents))
    assert (real.downloads / made.name).read_bytes() == made.files[made.name]
