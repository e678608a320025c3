"""What is remembered from one search to the next: how groups number a show, what people said, what is offered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.releases.conftest import find
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media
from tests.servers.nyaa import FakeNyaa, Post
from uuutorrent.accounts import Admin, User
from uuutorrent.anime.anime import MediaId, WatchStatus
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.releases.habits import Habits
from uuutorrent.releases.nyaa import Nyaa
from uuutorrent.releases.release import Correction, Form, Found, Habit, Taste
from uuutorrent.releases.search import Releases
from uuutorrent.store.database import Database

LONG_AGO = datetime(2024, 5, 1, tzinfo=UTC)


@dataclass
class Memory:
    """Two seasons of 24 and 30 episodes, all aired; what is asked about is the second."""

    releases: Releases
    index: FakeNyaa
    nyaa: Nyaa
    habits: Habits
    second: Media
    user: User

    @property
    def media_id(self) -> MediaId:
        return MediaId(self.second.id)

    def post(self, title: str, **more: int | bool) -> Post:
        return self.index.post(title, posted_at=LONG_AGO, **more)  # type: ignore[arg-type] # fields by name

    async def find(self, episode: int, user: User | None = None) -> Found:
        """As if the answers from before had been forgotten."""
        self.nyaa._answers.forget_where(lambda _: True)
        return await find(self.releases, user or self.user, self.second, episode)

    async def known(self) -> Iterable[tuple[str, int]]:
        return [(habit.group, habit.offset) for habit in await self.habits.of(self.media_id)]


@pytest.fixture
def memory(
    database: Database, releases: Releases, index: FakeNyaa, nyaa: Nyaa, ann: User, anilist: FakeAniList
) -> Memory:
    first = anilist.add_media("Kage no Uta", episodes=24, year=2022)
    second = anilist.add_media("Kage no Uta Zoku", episodes=30, year=2024, sequel_of=first)
    return Memory(releases, index, nyaa, Habits(database), second, ann)


def taken(found: Found) -> str | None:
    return found.best.release.title if found.best else None


async def test_what_a_group_did_before_is_remembered_when_its_posts_are_gone(memory: Memory) -> None:
    memory.post("[Aye] Kage no Uta Zoku - 50 (1080p)")
    assert taken(await memory.find(26)) == "[Aye] Kage no Uta Zoku - 50 (1080p)"
    assert await memory.known() == [("aye", 24)]
    memory.index.posts.clear()
    memory.post("[Aye] Kage no Uta Zoku - 27 (1080p)")
    memory.post("[Bee] Kage no Uta Zoku - 03 (720p)")
    assert taken(await memory.find(3)) == "[Aye] Kage no Uta Zoku - 27 (1080p)"
    assert taken(await memory.find(27)) is None


async def test_other_episodes_tell_it_as_well(memory: Memory) -> None:
    memory.post("[Aye] Kage no Uta Zoku - 50 (1080p)")
    memory.post("[Bee] Kage no Uta Zoku - 03 (1080p)")
    await memory.find(1)
    assert await memory.known() == [("aye", 24), ("bee", 0)]


async def test_a_wrong_habit_is_put_right_by_a_later_clear_name(memory: Memory) -> None:
    await memory.habits.learn(memory.media_id, [Habit("Aye", 0, "wrong")])
    memory.post("[Aye] Kage no Uta Zoku - 50 (1080p)")
    assert taken(await memory.find(26)) == "[Aye] Kage no Uta Zoku - 50 (1080p)"
    assert await memory.known() == [("aye", 24)]


async def test_a_name_that_contradicts_the_group_s_others_teaches_nothing(memory: Memory) -> None:
    memory.post("[Aye] Kage no Uta Zoku - 50 (1080p)")
    await memory.find(26)
    memory.post("[Aye] Kage no Uta Zoku - 05 (1080p)")
    await memory.find(26)
    assert await memory.known() == [("aye", 24)]


async def test_what_does_not_change_is_not_written_again(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    write = Habits._write

    async def counted(self: Habits, media_id: MediaId, latest: dict[str, Habit]) -> None:
        written.append(len(latest))
        await write(self, media_id, latest)

    monkeypatch.setattr(Habits, "_write", counted)
    for number in range(30, 55):
        memory.post(f"[Aye] Kage no Uta Zoku - {number} (1080p)")
    for episode in (26, 27, 26):
        await memory.find(episode)
    assert written == [1]


async def test_nothing_is_learnt_from_what_is_not_clear_or_not_real(memory: Memory) -> None:
    memory.post("[Aye] Kage no Uta Zoku - 27 (1080p)")
    memory.post("[Bee] Kage no Uta Zoku - 50 (1080p)", remake=True)
    memory.post("[Cee] Kage no Uta Zoku - 50 (1080p)", seeders=0)
    memory.post("[Dee] Kage no Uta Zoku (25-54) (1080p) [Batch]")
    memory.post("[Eee] Another Song - 50 (1080p)")
    odd = memory.post("[Fff] Kage no Uta Zoku - 51 (1080p)")
    said = Correction(Form.IS, memory.media_id, infohash=odd.infohash, episode=26)
    await memory.releases.corrections.make(memory.user, said)
    await memory.find(26)
    assert await memory.known() == []


async def test_a_single_season_teaches_nothing(
    database: Database, releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    index.post("[Aye] Kage no Uta - 03 (1080p)")
    assert (await find(releases, ann, show, 3)).best is not None
    assert await Habits(database).of(MediaId(show.id)) == ()


async def test_a_correction_beats_a_habit_and_is_offered_to_others(memory: Memory, bob: User) -> None:
    await memory.habits.learn(memory.media_id, [Habit("Aye", 0, "[Aye] Kage no Uta Zoku - 03")])
    posted = memory.post("[Aye] Kage no Uta Zoku - 27 (1080p)")
    assert taken(await memory.find(27)) == posted.title
    said = Correction(Form.OFFSET, memory.media_id, group="Aye", offset=24)
    made = await memory.releases.corrections.make(memory.user, said)
    mine = await memory.find(3)
    assert taken(mine) == posted.title
    assert mine.best is not None
    assert mine.best.is_corrected
    assert mine.offers == ()
    theirs = await memory.find(3, bob)
    assert (taken(theirs), theirs.offers) == (None, (made,))
    await memory.releases.corrections.answer(bob, made.id, accept=True)
    theirs = await memory.find(3, bob)
    assert (taken(theirs), theirs.offers) == (posted.title, ())
    await memory.releases.corrections.take_back(memory.user, made.id)
    assert taken(await memory.find(3)) is None
    assert taken(await memory.find(3, bob)) == posted.title


async def test_what_is_not_the_episode_is_not_taken_again(memory: Memory, boss: Admin, bob: User) -> None:
    wrong, good = (memory.post(f"[{group}] Kage no Uta Zoku S2E03 (1080p)") for group in ("Aye", "Bee"))
    memory.index.posts[0].seeders = 9000
    assert taken(await memory.find(3)) == wrong.title
    said = Correction(Form.IS_NOT, memory.media_id, infohash=wrong.infohash, episode=3, title=wrong.title)
    made = await memory.releases.corrections.make(memory.user, said)
    found = await memory.find(3)
    assert taken(found) == good.title
    (rejected,) = [one for one in found.candidates if one.release.infohash == wrong.infohash]
    assert rejected.is_corrected
    assert "you said that this is not it" in rejected.reasons
    assert taken(await memory.find(3, bob)) == wrong.title
    await memory.releases.corrections.set_for_all(boss, made.id, on=True)
    assert taken(await memory.find(3, bob)) == good.title


# What else comes with an answer


async def test_a_batch_is_offered_where_most_is_still_to_be_seen(
    releases: Releases, index: FakeNyaa, watchlists: Watchlists, ann: User, bob: User, anilist: FakeAniList
) -> None:
    show = anilist.add_media("Kage no Uta", episodes=12)
    batch = index.post("[SubsPlease] Kage no Uta (01-12) (1080p) [Batch]", size=12 << 30)
    for number in range(1, 13):
        index.post(f"[SubsPlease] Kage no Uta - {number:02} (1080p)")
    found = await find(releases, ann, show, 1)
    assert taken(found) == "[SubsPlease] Kage no Uta - 01 (1080p)"
    assert found.batch is not None
    assert found.batch.release.infohash == batch.infohash
    await watchlists.add(bob, MediaId(show.id), WatchStatus.CURRENT)
    await watchlists.set_progress(bob, MediaId(show.id), 11)
    assert (await find(releases, bob, show, 12)).batch is None


@pytest.mark.parametrize(
    ("groups", "posted_min_ago", "waits"),
    [(("Bee",), 5, True), (("Bee", "Aye"), 5, True), (("Aye", "Bee"), 5, False), (("Bee",), 90, False), ((), 5, False)],
)
async def test_it_is_told_how_long_to_wait_for_a_preferred_group(
    releases: Releases,
    index: FakeNyaa,
    nyaa: Nyaa,
    ann: User,
    show: Media,
    groups: tuple[str, ...],
    posted_min_ago: int,
    waits: bool,
) -> None:
    posted_at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=posted_min_ago)
    index.post("[Aye] Kage no Uta - 05 (1080p)", posted_at=posted_at)
    await releases.tastes.set(ann, Taste(groups=groups, wait_min=60))
    found = await find(releases, ann, show, 5)
    assert found.best is not None
    assert found.wait_until == (posted_at + timedelta(minutes=60) if waits else None)
    index.post("[Bee] Kage no Uta - 05 (1080p)", posted_at=datetime.now(UTC))
    nyaa._answers.forget_where(lambda _: True)
    assert (await find(releases, ann, show, 5)).wait_until is None
