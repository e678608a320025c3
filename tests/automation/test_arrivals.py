"""What happened becomes a notice: to everybody it concerns, once, and only while it is news."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from tests.desks import Built, built
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media, Member
from tests.servers.nyaa import FakeNyaa
from tests.servers.site import Site, serving
from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.anime.anilist import BadToken
from uuutorrent.automation.feeds.rule import Saving, Terms
from uuutorrent.automation.inbox.arrivals import LOOK, Arrivals
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.desk import Services
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.torrents.holdings import Part
from uuutorrent.torrents.metainfo import Metainfo, parse_torrent


@dataclass
class Later:
    """A clock that is real, and may be ahead."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, **by: float) -> None:
        self.ahead += timedelta(**by)


@dataclass
class Hall:
    built: Built
    database: Database
    anilist: FakeAniList
    nyaa: FakeNyaa
    site: Site
    member: Member
    show: Media
    clock: Later = field(default_factory=Later)

    @property
    def services(self) -> Services:
        return self.built.services

    def looker(self) -> Arrivals:
        """A daemon that has just started."""
        here = self.services
        errands, inbox = here.feeds.rulebook.errands, Inbox(self.database, now=self.clock)
        return Arrivals(here.library, here.live, here.grabs, errands, here.watchlists, inbox, now=self.clock)

    async def told(self, user: User) -> list[tuple[Kind, str]]:
        return [(notice.kind, notice.text) for notice in reversed(await self.services.inbox.of(user))]

    async def adds(self, user: User, torrent: Metainfo, **about: int) -> str:
        return (await self.services.library.add(user, torrent, **about)).infohash  # type: ignore[arg-type] # ints only

    async def completes(self, infohash: str) -> None:
        """It is complete, and `Library.reconcile` saw it."""
        self.built.engine.complete(infohash)
        await self.services.live.refresh()
        await self.services.library.reconcile()
        await self.services.grabs.settle()


@pytest.fixture
async def hall(database: Database, tmp_path: Path, ann: User) -> AsyncIterator[Hall]:
    async with AsyncExitStack() as stack:
        anilist, nyaa = stack.enter_context(FakeAniList()), stack.enter_context(FakeNyaa())
        site = await stack.enter_async_context(serving())
        show = anilist.add_media("Frieren", episodes=28, next_episode=11)
        anilist.list_entry(member := anilist.add_user("AnnThere"), show, progress=3)
        opened = await stack.enter_async_context(built(database, tmp_path, anilist_url=anilist.url, nyaa_url=nyaa.url))
        await opened.services.watchlists.link(ann, member.token)
        yield Hall(opened, database, anilist, nyaa, site, member, show)


EPISODE = parse_torrent(metainfos.single("[Group] Frieren - 04.mkv"))
ODD = parse_torrent(metainfos.single("A {name} with 100% of [braces].mkv"))


async def test_everybody_who_claims_a_download_is_told_that_it_is_here(hall: Hall, ann: User, bob: User) -> None:
    infohash = await hall.adds(ann, EPISODE, media_id=hall.show.id, episode=4)
    await hall.adds(bob, EPISODE)
    looker = hall.looker()
    await looker.tell_all()
    assert await hall.told(ann) == []
    await hall.completes(infohash)
    await looker.tell_all()
    assert await hall.told(ann) == [(Kind.FINISHED, "Episode 4 of Frieren is here.")]
    assert await hall.told(bob) == [(Kind.FINISHED, "[Group] Frieren - 04.mkv is here.")]
    (notice,) = await hall.services.inbox.of(ann)
    assert (notice.infohash, notice.media_id, notice.episode) == (infohash, hall.show.id, 4)


async def test_it_is_told_once_by_however_many_daemons(hall: Hall, ann: User) -> None:
    await hall.completes(await hall.adds(ann, ODD))
    first = hall.looker()
    for looker in (first, first, hall.looker()):
        await looker.tell_all()
    assert await hall.told(ann) == [(Kind.FINISHED, f"{ODD.name} is here.")]


async def test_who_gave_it_up_and_gets_it_again_is_told_again(hall: Hall, ann: User, bob: User) -> None:
    infohash = await hall.adds(ann, EPISODE)
    await hall.adds(bob, EPISODE)
    await hall.completes(infohash)
    looker = hall.looker()
    await looker.tell_all()
    await hall.services.library.delete(ann, infohash, with_files=True)
    await hall.adds(ann, EPISODE)
    await looker.tell_all()
    assert len(await hall.told(ann)) == 2


async def test_what_completed_long_ago_is_no_news_at_the_first_start(hall: Hall, ann: User, bob: User) -> None:
    await hall.completes(await hall.adds(ann, EPISODE))
    hall.clock.move(hours=25)
    await hall.looker().tell_all()
    assert await hall.told(ann) == []


async def test_who_joins_what_is_here_already_is_told(hall: Hall, ann: User, bob: User) -> None:
    await hall.completes(await hall.adds(ann, EPISODE))
    await hall.adds(bob, EPISODE)
    await hall.looker().tell_all()
    assert [kind for kind, _ in await hall.told(bob)] == [Kind.FINISHED]


async def test_a_show_of_which_nothing_is_known_is_told_by_the_name_of_the_release(hall: Hall, ann: User) -> None:
    await hall.completes(await hall.adds(ann, EPISODE, media_id=424242, episode=4))
    await hall.looker().tell_all()
    assert await hall.told(ann) == [(Kind.FINISHED, "[Group] Frieren - 04.mkv is here.")]


async def test_a_whole_batch_is_one_notice(hall: Hall, ann: User) -> None:
    names = [f"[Group] Frieren - {number:02}.mkv" for number in range(1, 4)]
    batch = parse_torrent(metainfos.several("Frieren", dict.fromkeys(names, 1000)))
    part = Part(hall.show.id, {1: (0,), 2: (1,), 3: (2,)}, [1000] * 3, whole=True)
    added = await hall.services.library.add(ann, batch, media_id=hall.show.id, part=part)
    await hall.completes(added.infohash)
    await hall.looker().tell_all()
    assert await hall.told(ann) == [(Kind.FINISHED, "Episodes 1-3 of Frieren are here.")]


async def test_a_part_of_a_batch_is_told_when_its_own_files_are_here(hall: Hall, ann: User) -> None:
    names = [f"[Group] Frieren - {number:02}.mkv" for number in range(1, 11)]
    raw = metainfos.several("[Group] Frieren [Batch]", dict.fromkeys(names, 200 << 20))
    hall.nyaa.post("[Group] Frieren (01-10) [Batch]", torrent=raw, size=2000 << 20)
    four = await hall.services.grabs.get(ann, hall.show.id, 4)
    five = await hall.services.grabs.get(ann, hall.show.id, 5)
    assert (four.files, five.files) == (
        (f"[Group] Frieren [Batch]/{names[3]}",),
        (f"[Group] Frieren [Batch]/{names[4]}",),
    )
    assert four.infohash is not None
    hall.built.engine.file_progress(four.infohash, 3, 1.0)
    await hall.services.live.refresh()
    await hall.services.grabs.settle()
    await hall.looker().tell_all()
    assert await hall.told(ann) == [(Kind.FINISHED, "Episode 4 of Frieren is here.")]


async def test_a_download_that_ends_while_somebody_looks_is_told_before_the_next_comparison(
    hall: Hall, ann: User
) -> None:
    infohash = await hall.adds(ann, EPISODE, media_id=hall.show.id, episode=4)
    looker = hall.looker()
    await hall.services.live.refresh()
    await looker.run_once()
    hall.built.engine.complete(infohash)
    await hall.services.live.refresh()
    await looker.run_once()
    assert await hall.told(ann) == [(Kind.FINISHED, "Episode 4 of Frieren is here.")]


async def test_an_engine_that_is_away_ends_nothing(hall: Hall, ann: User) -> None:
    infohash = await hall.adds(ann, EPISODE)
    looker = hall.looker()
    await hall.services.live.refresh()
    await looker.run_once()
    hall.built.engine.go_down()
    await hall.services.live.refresh()
    await looker.run_once()
    hall.built.engine.come_back()
    hall.built.engine.complete(infohash)
    await hall.services.live.refresh()
    await looker.run_once()
    assert [kind for kind, _ in await hall.told(ann)] == [Kind.FINISHED]


async def test_what_a_feed_rule_took_or_gave_up_is_told(hall: Hall, ann: User) -> None:
    feeds = hall.services.feeds.paced(now=hall.clock, gap_s=0)
    hall.site.page("/good.torrent", metainfos.single("Good.mkv"))
    hall.site.page("/bad.torrent", b"no torrent")
    items = "".join(
        f"<item><title>{name}</title><link>{hall.site.url}/{name.lower()}.torrent</link></item>"
        for name in ("Good", "Bad")
    )
    hall.site.page("/rss", f"<?xml version='1.0'?><rss version='2.0'><channel>{items}</channel></rss>".encode())
    rule = await feeds.add(ann, f"{hall.site.url}/rss", Terms(), Saving())
    await feeds.poll_now(ann)
    await hall.looker().tell_all()
    taken, failed = sorted(await hall.told(ann), key=lambda one: one[0] is Kind.FAILED)
    assert taken == (Kind.TAKEN, f"Feed rule {rule.id} took Good.")
    assert failed[0] is Kind.FAILED
    assert failed[1].startswith(f"Feed rule {rule.id} could not take Bad: ")


async def test_a_grab_that_was_interrupted_and_failed_is_told_and_one_that_somebody_saw_fail_is_not(
    hall: Hall, ann: User
) -> None:
    await hall.services.grabs.get(ann, hall.show.id, 4)
    await hall.looker().tell_all()
    assert await hall.told(ann) == []
    await interrupted(hall.database)
    await hall.services.grabs.resume()
    await hall.looker().tell_all()
    ((kind, text),) = await hall.told(ann)
    assert kind is Kind.FAILED
    assert text.startswith(
        "Episode 4 of Frieren was not fetched. It was interrupted, and failed when it was done again: "
    )


async def interrupted(database: Database) -> None:
    """Leave the last grab as a kill leaves it while it searches."""
    async with database.begin(SYSTEM) as tx:
        await tx.execute(sql("UPDATE grabs SET state = 'asked', ended_at = NULL"))


async def test_a_link_that_anilist_refuses_is_told_until_it_is_made_anew(hall: Hall, ann: User) -> None:
    hall.anilist.revoke(hall.member)
    with pytest.raises(BadToken):
        await hall.services.watchlists.list(ann, refresh=True)
    for _ in range(2):
        await hall.looker().tell_all()
    ((kind, text),) = await hall.told(ann)
    assert kind is Kind.TROUBLE
    assert text.startswith("AniList does not accept your sign-in any more")


async def test_the_tables_are_read_only_now_and_then(hall: Hall, ann: User, bob: User) -> None:
    await hall.completes(await hall.adds(ann, EPISODE))
    looker = hall.looker()
    await looker.run_once()
    await hall.adds(bob, EPISODE)
    await looker.run_once()
    assert (len(await hall.told(ann)), await hall.told(bob)) == (1, [])
    hall.clock.ahead += LOOK
    await looker.run_once()
    assert len(await hall.told(bob)) == 1
