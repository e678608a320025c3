"""How often the index is asked: once or twice for what is usual, never more than four times, and once for everybody."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx
import pytest

from tests.releases.conftest import find
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media
from tests.servers.nyaa import PAGE, FakeNyaa
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.config import Nyaa as Settings
from uuutorrent.releases import nyaa as room
from uuutorrent.releases import search
from uuutorrent.releases.nyaa import Nyaa
from uuutorrent.releases.release import Correction, Form
from uuutorrent.releases.search import Releases
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MOST = 4


@pytest.fixture
def endless(anilist: FakeAniList) -> Media:
    return anilist.add_media("Endless Song", episodes=None, next_episode=1000)


def post_all(index: FakeNyaa, title: str, numbers: range, *, group: str = "SubsPlease") -> None:
    for number in numbers:
        index.post(f"[{group}] {title} - {number:02} (1080p)")


async def test_all_episodes_and_all_users_share_the_answer(
    releases: Releases, index: FakeNyaa, ann: User, bob: User, show: Media
) -> None:
    post_all(index, "Kage no Uta", range(1, 6))
    async with asyncio.TaskGroup() as group:
        hunts = [
            group.create_task(find(releases, user, show, episode)) for user in (ann, bob) for episode in (1, 2, 3, 4, 5)
        ]
    assert [hunt.result().best is not None for hunt in hunts] == [True] * 10
    assert index.queries == ["(Kage no Uta)|(Song of Shadows)"]


async def test_a_long_show_takes_a_second_question_with_the_number(
    releases: Releases, index: FakeNyaa, ann: User, bob: User, endless: Media
) -> None:
    post_all(index, "Endless Song", range(1, 200))
    found = await find(releases, ann, endless, 7)
    assert found.best is not None
    assert found.best.release.title == "[SubsPlease] Endless Song - 07 (1080p)"
    assert index.queries == ["Endless Song", "Endless Song (07|007|e07|ep07|s01e07)"]
    await find(releases, bob, endless, 7)
    assert (await find(releases, bob, endless, 199)).best is not None
    assert len(index.queries) == 2
    assert (await find(releases, bob, endless, 8)).best is not None
    assert len(index.queries) == 3


async def test_a_full_feed_without_the_episode_takes_two(
    releases: Releases, index: FakeNyaa, ann: User, endless: Media
) -> None:
    post_all(index, "Endless Song", range(100, 200))
    assert (await find(releases, ann, endless, 7)).best is None
    assert len(index.queries) == 2


async def test_an_episode_that_is_not_posted_yet_takes_one_or_two(
    releases: Releases, index: FakeNyaa, ann: User, show: Media, anilist: FakeAniList
) -> None:
    post_all(index, "Kage no Uta", range(1, 5))
    found = await find(releases, ann, show, 5)
    assert found.best is None
    assert found.asked == tuple(index.queries) == ("(Kage no Uta)|(Song of Shadows)",)
    long = anilist.add_media("Kage Monogatari: Hito no Tabi", next_episode=6)
    found = await find(releases, ann, long, 5)
    assert found.best is None
    assert found.asked == tuple(index.queries[1:]) == ("Kage Monogatari Hito no Tabi", "Kage Monogatari")


async def test_a_show_that_nobody_posts_takes_one(releases: Releases, index: FakeNyaa, ann: User, show: Media) -> None:
    assert (await find(releases, ann, show, 5)).best is None
    assert len(index.queries) == 1


async def test_an_episode_to_come_takes_one(releases: Releases, index: FakeNyaa, ann: User, show: Media) -> None:
    assert (await find(releases, ann, show, 6)).best is None
    assert (await find(releases, ann, show, 7)).best is None
    assert len(index.queries) == 1


async def test_another_spelling_takes_one(releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList) -> None:
    for title, posted in (("Off & Monster-san", "Off and Monster san"), ("Kaguya-sama: Love", "Kaguya-sama - Love")):
        show = anilist.add_media(title)
        index.post(f"[SubsPlease] {posted} - 03 (1080p)")
        assert (await find(releases, ann, show, 3)).best is not None
    assert index.queries == ["Off Monster san", "Kaguya sama Love"]


async def test_a_show_that_is_posted_under_the_head_of_its_title_takes_two(
    releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList
) -> None:
    first = anilist.add_media("Kage Monogatari: Hito no Tabi", episodes=12)
    second = anilist.add_media("Kage Monogatari: Hito no Tabi 2nd Season", episodes=12, sequel_of=first)
    post_all(index, "Kage Monogatari S2", range(1, 13))
    found = await find(releases, ann, second, 3)
    assert found.best is not None
    assert found.best.release.title == "[SubsPlease] Kage Monogatari S2 - 03 (1080p)"
    assert len(index.queries) == 2


async def test_a_feed_full_of_other_shows_is_asked_with_the_number(
    releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList
) -> None:
    show = anilist.add_media("Kage", next_episode=6)
    index.post("[SubsPlease] Kage - 03 (1080p)")
    post_all(index, "Kage no Densetsu", range(20, 20 + PAGE + 5))
    found = await find(releases, ann, show, 3)
    assert found.best is not None
    assert len(index.queries) == 2


async def test_nothing_is_asked_more_than_four_times(
    releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList
) -> None:
    for title in ("Kage", "Kage Monogatari: Hito no Tabi", "Off & Monster", "Kage: no"):
        show = anilist.add_media(title, episodes=None, next_episode=1000)
        for number in range(100, 200):
            index.post(f"[G] Kage Monogatari Another {number} - 07 (1080p)")
            index.post(f"[G] Monster and Off {number} - 07 (1080p)")
        before = len(index.queries)
        found = await find(releases, ann, show, 7)
        assert found.best is None
        assert found.asked == tuple(index.queries[before:])
        assert 1 <= len(found.asked) <= MOST


async def test_a_finished_show_with_only_a_batch_takes_no_more(
    releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList
) -> None:
    show = anilist.add_media("Kage no Uta", episodes=12)
    index.post("[SubsPlease] Kage no Uta (01-12) (1080p) [Batch]", size=12 << 30)
    for episode in range(1, 13):
        await find(releases, ann, show, episode)
    assert len(index.queries) <= 2


async def test_a_film_among_a_feed_full_of_others_is_looked_for_under_its_head(
    releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList
) -> None:
    film = anilist.add_media("Kagebou: Yoru", episodes=1, format="MOVIE")
    for number in range(PAGE):
        index.post(f"[G] Kagebou and the Yoruichi {number} (1080p)")
    posted = index.post("[SubsPlease] Kagebou (1080p)")
    found = await find(releases, ann, film, 1)
    assert index.queries == ["Kagebou Yoru", "Kagebou|(Kagebo Yoru)"]
    assert posted.infohash in {one.release.infohash for one in found.candidates}


async def test_a_single_is_looked_for_where_a_full_feed_has_only_a_batch(
    releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList
) -> None:
    show = anilist.add_media("Endless Song", episodes=300)
    single = index.post("[SubsPlease] Endless Song - 07 (1080p)")
    index.post("[SubsPlease] Endless Song (001-300) (1080p) [Batch]", size=300 << 30)
    post_all(index, "Endless Song", range(100, 100 + PAGE - 1))
    found = await find(releases, ann, show, 7)
    assert found.best is not None
    assert found.best.release.infohash == single.infohash
    assert len(index.queries) == 2


async def test_a_title_that_people_add_is_asked_with_the_others(
    releases: Releases, index: FakeNyaa, ann: User, bob: User, show: Media
) -> None:
    posted = index.post("[SubsPlease] Shadow Canticle - 03 (1080p)")
    assert (await find(releases, ann, show, 3)).candidates == ()
    await releases.corrections.make(ann, Correction(Form.TITLE, MediaId(show.id), title="Shadow Canticle"))
    before = len(index.queries)
    found = await find(releases, ann, show, 3)
    assert [one.release.infohash for one in found.candidates] == [posted.infohash]
    assert index.queries[before] == "(Kage no Uta)|(Shadow Canticle)|(Song of Shadows)"
    before = len(index.queries)
    theirs = await find(releases, bob, show, 3)
    assert theirs.candidates == ()
    assert len(index.queries) == before
    assert [offer.correction.title for offer in theirs.offers] == ["Shadow Canticle"]


async def test_without_a_title_nothing_is_asked(
    releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList
) -> None:
    for title in ("", "☆", "”"):
        found = await find(releases, ann, anilist.add_media(title), 3)
        assert found.best is None
        assert found.said.startswith("AniList names no title of ")
    assert index.requests == []


@pytest.mark.parametrize(
    "title",
    [
        '"Kage" (no) | Uta',
        "-Kage- no ~Uta~",
        "Kage*no*Uta!!",
        "Kage/no\\Uta",
        "86",
        "K-ON!",
        "Kage's Uta",
    ],
)
async def test_a_title_with_the_signs_of_the_grammar_is_asked_as_often(
    releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList, title: str
) -> None:
    show = anilist.add_media(title, episodes=12)
    posted = index.post(f"[SubsPlease] {title} - 03 (1080p)")
    index.post("[SubsPlease] Something Else - 03 (1080p)")
    found = await find(releases, ann, show, 3)
    assert len(index.queries) <= 2
    assert posted.infohash in {one.release.infohash for one in found.candidates}


# How long an answer counts, and how far apart questions are


@pytest.mark.parametrize(
    ("episodes", "next_episode", "ttl_s"), [(12, 6, search.AIRING_TTL_S), (12, None, search.FINISHED_TTL_S)]
)
async def test_an_answer_counts_for_minutes(
    releases: Releases,
    index: FakeNyaa,
    nyaa: Nyaa,
    ann: User,
    anilist: FakeAniList,
    episodes: int,
    next_episode: int | None,
    ttl_s: float,
) -> None:
    show = anilist.add_media("Kage", episodes=episodes, next_episode=next_episode)
    index.post("[SubsPlease] Kage - 03 (1080p)")
    await find(releases, ann, show, 3)
    made_at, answer = nyaa._answers._kept["Kage"]
    nyaa._answers._kept["Kage"] = (made_at - ttl_s + 30, answer)
    await find(releases, ann, show, 3)
    assert len(index.queries) == 1
    nyaa._answers._kept["Kage"] = (made_at - ttl_s - 1, answer)
    await find(releases, ann, show, 3)
    assert len(index.queries) == 2
    assert (search.AIRING_TTL_S, search.FINISHED_TTL_S, room.EMPTY_TTL_S) == (300, 1800, 60)


async def test_all_questions_of_all_users_keep_their_distance(
    database: Database,
    watchlists: Watchlists,
    http: httpx.AsyncClient,
    index: FakeNyaa,
    ann: User,
    bob: User,
    anilist: FakeAniList,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    asked_at: list[float] = []
    shows = [anilist.add_media(title) for title in ("Kage no Uta", "Hikari no Uta", "Yoru no Uta")]
    patient = Nyaa(http, Settings(base_url=index.url), Tally())
    releases = Releases(database, patient, watchlists)
    ask = patient._get

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    async def noted(url: str, max_bytes: int) -> object:
        asked_at.append(now[0])
        return await ask(url, max_bytes)

    patient.spacing._clock = lambda: now[0]
    monkeypatch.setattr(patient, "_get", noted)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    for show in shows:
        await asyncio.gather(find(releases, ann, show, 3), find(releases, bob, show, 3))
    assert len(asked_at) == len(index.queries) == 3
    assert all(later - earlier >= 2 for earlier, later in pairwise(asked_at))


async def test_a_post_is_found_in_the_minute_it_comes(
    releases: Releases, index: FakeNyaa, nyaa: Nyaa, ann: User, show: Media
) -> None:
    assert (await find(releases, ann, show, 5)).best is None
    for query, (made_at, answer) in nyaa._answers._kept.items():
        nyaa._answers._kept[query] = (made_at - room.EMPTY_TTL_S - 1, answer)
    index.post("[SubsPlease] Kage no Uta - 05 (1080p)", posted_at=datetime.now(UTC) - timedelta(minutes=1))
    assert (await find(releases, ann, show, 5)).best is not None
