"""Rules that are bound to a show: which items are new episodes of it, and which of several is taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.desks import Built, built
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media
from tests.servers.nyaa import FakeNyaa
from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.automation.feeds.feeds import Feeds
from uuutorrent.automation.feeds.rule import Outcome, Saving, Terms
from uuutorrent.releases.release import Taste
from uuutorrent.store.database import Database


@dataclass
class Town:
    built: Built
    nyaa: FakeNyaa
    show: Media
    feeds: Feeds

    def post(self, *names: str) -> None:
        for name in names:
            self.nyaa.post(name, torrent=metainfos.single(name), size=700 << 20)

    async def bound(self, user: User, terms: Terms | None = None) -> None:
        url = f"{self.nyaa.url}/?page=rss"
        await self.feeds.add(user, url, terms or Terms(), Saving(media_id=self.show.id))

    async def taken(self, user: User) -> list[tuple[str, int | None]]:
        """What was taken, as which episode of the show."""
        await self.feeds.poll_now(user)
        done = [one.title for one in await self.feeds.rulebook.takings(user) if one.outcome is Outcome.TAKEN]
        held = await self.built.services.library.holdings(user)
        return sorted((one.name, one.episode) for one in held if one.name in done)


@pytest.fixture
async def town(database: Database, tmp_path: Path, ann: User) -> AsyncIterator[Town]:
    """Ann has seen 3 of 28 episodes, of which 10 have aired."""
    with FakeAniList() as anilist, FakeNyaa() as nyaa:
        show = anilist.add_media("Sousou no Frieren", native="葬送のフリーレン", episodes=28, next_episode=11)
        anilist.list_entry(member := anilist.add_user("AnnThere"), show, progress=3)
        async with built(database, tmp_path, anilist_url=anilist.url, nyaa_url=nyaa.url) as opened:
            await opened.services.watchlists.link(ann, member.token)
            feeds = opened.services.feeds.paced(now=lambda: datetime.now(UTC), gap_s=0)
            yield Town(opened, nyaa, show, feeds)


async def test_only_new_episodes_of_the_show_are_taken_and_of_several_the_best(town: Town, ann: User) -> None:
    town.post(
        "[SubsPlease] Sousou no Frieren - 03 (1080p).mkv",
        "[SubsPlease] Sousou no Frieren - 04 (720p).mkv",
        "[SubsPlease] Sousou no Frieren - 04 (1080p).mkv",
        "[SubsPlease] Sousou no Frieren - 05 (1080p).mkv",
        "[SubsPlease] Sousou no Frieren S2 - 06 (1080p).mkv",
        "[SubsPlease] Sousou no Frieren - 11 (1080p).mkv",
        "[Other] Another Show - 07 (1080p).mkv",
    )
    await town.bound(ann)
    assert await town.taken(ann) == [
        ("[SubsPlease] Sousou no Frieren - 04 (1080p).mkv", 4),
        ("[SubsPlease] Sousou no Frieren - 05 (1080p).mkv", 5),
    ]


async def test_an_episode_that_came_from_another_group_later_is_not_taken_twice(town: Town, ann: User) -> None:
    town.post("[SubsPlease] Sousou no Frieren - 04 (1080p).mkv")
    await town.bound(ann)
    first = await town.taken(ann)
    town.post("[Erai-raws] Sousou no Frieren - 04 [1080p][Multiple Subtitle].mkv")
    assert await town.taken(ann) == first == [("[SubsPlease] Sousou no Frieren - 04 (1080p).mkv", 4)]


async def test_the_taste_of_its_owner_and_the_words_of_the_rule_both_count(town: Town, ann: User) -> None:
    town.post(
        "[Bad] Sousou no Frieren - 04 (1080p).mkv",
        "[Good] Sousou no Frieren - 04 (1080p).mkv",
        "[SubsPlease] Sousou no Frieren - 05 (1080p).mkv",
    )
    await town.built.services.releases.tastes.set(ann, Taste(blocked_groups=("Bad",)))
    await town.bound(ann, Terms(exclude=("SubsPlease",)))
    assert await town.taken(ann) == [("[Good] Sousou no Frieren - 04 (1080p).mkv", 4)]


async def test_trying_out_tells_why_an_item_is_no_new_episode(town: Town, ann: User) -> None:
    town.post("[SubsPlease] Sousou no Frieren - 03 (1080p).mkv", "[Other] Another Show - 04 (1080p).mkv")
    await town.bound(ann)
    (rule,) = await town.feeds.rulebook.rules(ann)
    assert [(one.episode, one.complaints) for one in await town.feeds.try_out(ann, rule.id)] == [
        (None, ("not certainly an episode of the show, or another post of it is better",)),
        (3, ("episode 3, which you have seen",)),
    ]
