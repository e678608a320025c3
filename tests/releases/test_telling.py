"""What a person is told of a search: what was chosen and why; or what was looked for, what is there, when it airs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.releases.conftest import find
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media
from tests.servers.nyaa import FakeNyaa
from uuutorrent.accounts import User
from uuutorrent.releases.release import Taste
from uuutorrent.releases.search import Releases

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MISSING = "No release of Kage no Uta episode 3 was found that can be taken. "


async def test_what_was_chosen_is_told_with_its_reasons(
    releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    index.post("[SubsPlease] Kage no Uta - 03 (1080p)")
    found = await find(releases, ann, show, 3)
    assert found.said.startswith("[SubsPlease] Kage no Uta - 03 (1080p): its own title; episode 3; 1080p")
    assert found.said.endswith(".")


async def test_an_episode_that_is_not_there_says_what_is(
    releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    for number in (1, 2, 4):
        index.post(f"[SubsPlease] Kage no Uta - {number:02} (1080p)")
    found = await find(releases, ann, show, 3)
    assert (found.best, len(found.candidates)) == (None, 3)
    assert (
        found.said == f"{MISSING}There is episode 1, 2, 4. Looked through 3 posts for Kage no Uta or Song of Shadows."
    )


async def test_batches_of_other_episodes_are_named(releases: Releases, index: FakeNyaa, ann: User, show: Media) -> None:
    index.post("[SubsPlease] Kage no Uta (01-02) (1080p) [Batch]")
    assert f"{MISSING}There is a batch of 1-2." in (await find(releases, ann, show, 3)).said


async def test_what_is_near_but_dead_is_told_so(releases: Releases, index: FakeNyaa, ann: User, show: Media) -> None:
    index.post("[SubsPlease] Kage no Uta - 02 (1080p)", seeders=0)
    assert f"{MISSING}There is episode 2, without seeders." in (await find(releases, ann, show, 3)).said


async def test_why_the_nearest_is_not_taken_is_said(
    releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    index.post("[SubsPlease] Kage no Uta - 03 (240p)", seeders=9)
    said = (await find(releases, ann, show, 3)).said
    assert f"{MISSING}Nearest: [SubsPlease] Kage no Uta - 03 (240p) (" in said
    assert "240p" in said


async def test_what_nobody_sends_any_more_is_told_so(
    releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    for group in ("Aye", "Bee"):
        index.post(f"[{group}] Kage no Uta - 03 (1080p)", seeders=0)
    said = (await find(releases, ann, show, 3)).said
    assert f"{MISSING}There are 2 releases of it, and nobody has them any more: they have no seeders." in said


async def test_what_is_blocked_is_told_so(releases: Releases, index: FakeNyaa, ann: User, show: Media) -> None:
    await releases.tastes.set(ann, Taste(blocked_groups=("Aye",)))
    for lines in (1080, 720):
        index.post(f"[Aye] Kage no Uta - 03 ({lines}p)")
    said = (await find(releases, ann, show, 3)).said
    assert f"{MISSING}There are 2 releases of it; nearest: [Aye] Kage no Uta - 03 (1080p) (" in said
    assert "Aye is a group you never take" in said


async def test_what_is_not_certain_is_left_to_the_person(
    releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList
) -> None:
    remake = anilist.add_media("Kage no Uta (2024)", episodes=24, year=2024)
    anilist.relate(remake, "ALTERNATIVE", anilist.add_media("Kage no Uta", episodes=24, year=1999))
    index.post("[SubsPlease] Kage no Uta - 03 (1080p)")
    found = await find(releases, ann, remake, 3)
    assert found.best is None
    assert "Not certain: [SubsPlease] Kage no Uta - 03 (1080p) (" in found.said
    assert "choose it by hand if it is right." in found.said


async def test_an_empty_index_says_so(releases: Releases, ann: User, show: Media) -> None:
    found = await find(releases, ann, show, 3)
    assert (found.best, found.candidates) == (None, ())
    assert found.said.startswith(f"{MISSING}The index lists nothing of this show. Looked through 0 posts for")


async def test_only_some_of_many_titles_are_named(releases: Releases, ann: User, anilist: FakeAniList) -> None:
    names = ("Uta of Shade", "Song Umbra", "Shade Canticle", "Dusk Hymn")
    many = anilist.add_media("Kage no Uta", synonyms=names)
    said = (await find(releases, ann, many, 3)).said
    assert said.endswith("Looked through 0 posts for Kage no Uta or Uta of Shade or Song Umbra or 2 more titles.")


async def test_an_episode_to_come_says_when_it_airs(
    releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    index.post("[SubsPlease] Kage no Uta - 06 (1080p)")
    index.post("[SubsPlease] Kage no Uta - 05 (1080p)")
    found = await find(releases, ann, show, 6)
    airs = f"{datetime.fromtimestamp(show.airs_at, UTC):%Y-%m-%d %H:%M} UTC"
    assert found.best is None
    assert found.said == f"Episode 6 of Kage no Uta has not aired yet. Episode 6 airs {airs}. There is episode 5."


async def test_that_nobody_knows_when_it_airs_is_said(
    releases: Releases, index: FakeNyaa, ann: User, anilist: FakeAniList
) -> None:
    announced = anilist.add_media("Kage no Uta", episodes=12, status="NOT_YET_RELEASED")
    found = await find(releases, ann, announced, 1)
    assert found.said == "Episode 1 of Kage no Uta has not aired yet. AniList does not know when it airs."
    endless = anilist.add_media("Endless Song", episodes=None, status="RELEASING")
    said = (await find(releases, ann, endless, 7)).said
    assert "AniList does not tell whether it has aired." in said


async def test_an_episode_that_never_was_is_not_asked_for(
    releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    found = await find(releases, ann, show, 13)
    assert (found.best, found.said) == (None, "Kage no Uta has 12 episodes, so there is no episode 13.")
    assert index.queries == []
