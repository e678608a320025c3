from datetime import timedelta

import pytest

from tests.releases.conftest import find
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media
from tests.servers.nyaa import FakeNyaa
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId
from uuutorrent.errors import Invalid, Missing, Unreachable
from uuutorrent.releases.search import Releases


async def test_the_best_release_is_found_with_one_question(
    releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    index.post("[SubsPlease] Kage no Uta - 02 (720p)")
    posted = index.post("[SubsPlease] Kage no Uta - 03 (1080p)")
    index.post("[SubsPlease] Kage no Uta - 03 (720p)", seeders=9000)
    found = await find(releases, ann, show, 3)
    assert found.best is not None
    assert found.best.release.infohash == posted.infohash
    assert found.best is found.candidates[0]
    assert len(found.candidates) == 3
    assert "episode 3" in found.said
    assert found.asked == ("(Kage no Uta)|(Song of Shadows)",)
    assert found.search_ms > 0
    assert found.rank_ms > 0
    assert len(index.queries) == 1


async def test_a_batch_is_taken_where_nothing_else_has_it(
    releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    batch = index.post("[SubsPlease] Kage no Uta (01-05) (1080p) [Batch]", seeders=9000)
    found = await find(releases, ann, show, 3)
    assert found.best is not None
    assert found.best.is_batch
    assert found.best.release.infohash == batch.infohash
    assert "batch 01-05 holds it" in found.said


async def test_a_single_episode_is_preferred_to_a_batch(
    releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    index.post("[SubsPlease] Kage no Uta (01-05) (1080p) [Batch]", seeders=9000)
    single = index.post("[Aye] Kage no Uta - 03 (480p)", seeders=9)
    found = await find(releases, ann, show, 3)
    assert found.best is not None
    assert found.best.release.infohash == single.infohash


async def test_an_episode_whose_hour_has_come_counts_as_aired(
    releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList
) -> None:
    show = anilist.add_media("Kage no Uta", next_episode=6, airs_in=timedelta(minutes=-1))
    index.post("[SubsPlease] Kage no Uta - 06 (1080p)")
    assert (await find(releases, ann, show, 6)).best is not None


async def test_an_episode_that_never_was_is_not_asked_for(
    releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    found = await find(releases, ann, show, 13)
    assert (found.best, found.said) == (None, "Kage no Uta has 12 episodes, so there is no episode 13.")
    assert index.queries == []


async def test_a_second_season_is_found_by_its_absolute_number(
    releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList
) -> None:
    first = anilist.add_media("Kage no Uta", episodes=24)
    second = anilist.add_media("Kage no Uta 2nd Season", next_episode=6, sequel_of=first)
    index.post("[SubsPlease] Kage no Uta - 03 (1080p)")
    posted = index.post("[SubsPlease] Kage no Uta - 27 (1080p)")
    found = await find(releases, ann, second, 3)
    assert found.best is not None
    assert found.best.release.infohash == posted.infohash
    assert "absolute 27 = 24 + 3" in found.best.reasons


async def test_one_quality_can_be_asked_for(releases: Releases, index: FakeNyaa, ann: User, show: Media) -> None:
    for lines in (1080, 720):
        index.post(f"[SubsPlease] Kage no Uta - 03 ({lines}p)")
    found = await find(releases, ann, show, 3, quality=720)
    assert found.best is not None
    assert found.best.name.resolution == 720
    with pytest.raises(Invalid) as caught:
        await find(releases, ann, show, 3, quality=555)
    assert caught.value.field == "quality"


async def test_what_cannot_be_asked(releases: Releases, index: FakeNyaa, ann: User, show: Media) -> None:
    with pytest.raises(Invalid):
        await find(releases, ann, show, 0)
    with pytest.raises(Missing):
        await releases.find(ann, MediaId(424242), 1)
    index.fault = 500
    with pytest.raises(Unreachable):
        await find(releases, ann, show, 3)


async def test_a_torrent_file_can_be_had(releases: Releases, index: FakeNyaa, ann: User, show: Media) -> None:
    posted = index.post("[SubsPlease] Kage no Uta - 03 (1080p)")
    found = await find(releases, ann, show, 3)
    assert found.best is not None
    assert await releases.torrent_file(found.best.release) == posted.torrent
