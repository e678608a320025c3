"""What strangers, crashes and other people can do to feeds, and what still happens."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.automation.evening import Evening
from tests.torrents import metainfos
from uuutorrent.accounts import Accounts, Admin, User
from uuutorrent.automation.feeds import feeds as polling
from uuutorrent.automation.feeds.feeds import MOST_TRIES
from uuutorrent.automation.feeds.rule import Outcome, Saving, Terms
from uuutorrent.store.database import NOBODY, SYSTEM, Database

RSS = "<?xml version='1.0'?><rss version='2.0'><channel>{}</channel></rss>"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is decided here is the same on each kind of database; those that race for a row are tested on both."""
    return sqlite_url


def item(evening: Evening, title: str, *, guid: str = "") -> str:
    """An item of a feed with a link to a .torrent that is there."""
    name = title.replace(" ", "_")
    evening.site.page(f"/{name}.torrent", metainfos.single(f"{title}.mkv"))
    return f"<item><title>{title}</title><guid>{guid}</guid><link>{evening.site.url}/{name}.torrent</link></item>"


def serve(evening: Evening, path: str, *items: str, etag: str = "") -> str:
    evening.site.page(path, RSS.format("".join(items)).encode(), etag=etag)
    return f"{evening.site.url}{path}"


async def test_an_item_whose_id_changes_at_every_answer_is_taken_once(evening: Evening, ann: User) -> None:
    for turn in range(3):
        url = serve(evening, "/rss", item(evening, "Show - 01", guid=f"made up at {turn}"))
        if not turn:
            await evening.rule(ann, url)
        await evening.later(minutes=11)
    assert [one.title for one in await evening.takings(ann)] == ["Show - 01"]
    assert evening.site.asked("/Show_-_01.torrent") == 1


async def test_the_same_torrent_in_another_feed_is_not_taken_again_after_it_was_deleted(
    evening: Evening, ann: User
) -> None:
    await evening.rule(ann, serve(evening, "/one", item(evening, "Show - 01")))
    await evening.feeds.poll_once()
    (held,) = await evening.built.services.library.holdings(ann)
    await evening.built.services.library.delete(ann, held.infohash, with_files=True)
    evening.site.page("/same.torrent", metainfos.single("Show - 01.mkv"))
    same = f"<item><title>Show Episode 1</title><link>{evening.site.url}/same.torrent</link></item>"
    await evening.rule(ann, serve(evening, "/two", same))
    await evening.later(minutes=11)
    assert await evening.names(ann) == []
    assert [one.outcome for one in await evening.takings(ann)] == [Outcome.TAKEN, Outcome.ALREADY]


async def test_what_a_day_has_no_room_for_is_taken_the_next_though_the_feed_is_the_same(
    evening: Evening, ann: User
) -> None:
    await evening.rule(ann, evening.offer("Show - 01", "Show - 02", etag='"one"'), daily=1)
    await evening.feeds.poll_once()
    assert await evening.taken(ann) == ["Show - 01"]
    await evening.later(days=1, minutes=1)
    assert await evening.taken(ann) == ["Show - 01", "Show - 02"]


async def test_a_changed_rule_sees_what_the_feed_said_before(evening: Evening, ann: User) -> None:
    rule = await evening.rule(ann, evening.offer("Show - 01", etag='"one"'), Terms(include=("nothing",)))
    await evening.feeds.poll_once()
    await evening.feeds.change(ann, rule.id, terms=Terms())
    await evening.later(minutes=11)
    assert await evening.taken(ann) == ["Show - 01"]


async def test_when_anilist_is_away_only_the_bound_rule_says_so_and_nothing_is_missed(
    evening: Evening, ann: User
) -> None:
    url = evening.offer("Show - 01", etag='"one"')
    await evening.feeds.add(ann, url, Terms(), Saving(media_id=1))
    await evening.rule(ann, url)
    polled = await evening.feeds.poll_now(ann)
    bound, free = await evening.feeds.rulebook.rules(ann)
    assert "AniList" in bound.error
    assert (polled.errors, free.error, await evening.taken(ann)) == ((bound.error,), "", ["Show - 01"])
    await evening.later(minutes=11)
    assert not any("if-none-match" in asked.lower() for asked in evening.site.requests)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (RSS.format("<item><title>A&#xD800;B&#0;</title><link>http://a/&#xD800;</link></item>"), ()),
        (RSS.format("<item><title>x</title><link>http://[</link></item>"), ()),
        (RSS.format("<item><title>Show</title><pubDate>99999999999999</pubDate><size>9e999</size></item>"), ()),
        ("<rss>" + "<a>" * 100_000, ()),
        ("<rss><item " + "a='1' " * 100_000 + "/>", ()),
        (RSS.format("<item><title>x</title><description>" + "magnet:?" * 20_000 + "</description></item>"), ()),
        (RSS.format(""), ("ETag: \"é\"", "Last-Modified: é")),
        (RSS.format(""), (f"ETag: {'x' * 5000}",)),
    ],
)  # fmt: skip
async def test_whatever_a_feed_sends_the_others_are_read_and_it_can_be_read_again(
    evening: Evening, ann: User, bob: User, body: str, headers: tuple[str, ...]
) -> None:
    evening.site.page("/hostile", body.encode(), headers=headers)
    await evening.rule(ann, f"{evening.site.url}/hostile")
    await evening.rule(bob, evening.offer("Show - 01"))
    await evening.feeds.poll_once()
    await evening.later(days=2)
    assert await evening.taken(bob) == ["Show - 01"]
    assert evening.site.asked("/hostile") == 2


async def test_a_feed_whose_last_rule_goes_while_it_is_read_disturbs_nobody(
    evening: Evening, ann: User, bob: User
) -> None:
    rule = await evening.rule(ann, evening.offer("Show - 01"))
    (feed,) = await evening.feeds.rulebook.due(evening.clock.at)
    await evening.rule(bob, evening.offer(path="/bobs"))
    await evening.feeds.rulebook.remove(ann, rule.id)
    await asyncio.gather(evening.feeds._poll([feed]), evening.feeds.poll_once())
    assert await evening.feeds.rulebook.followers(feed.id) == ()
    assert (await evening.taken(ann), await evening.taken(bob)) == ([], ["Show - 01"])


async def test_feeds_of_the_disabled_are_not_asked_and_those_of_the_gone_are_forgotten(
    evening: Evening, ann: User, bob: User, accounts: Accounts, boss: Admin, database: Database
) -> None:
    await evening.rule(ann, evening.offer("Show - 01", path="/anns"))
    await evening.rule(bob, evening.offer(path="/bobs"))
    await accounts.disable(boss, ann.name)
    await accounts.delete(boss, bob.name)
    await evening.feeds.poll_once()
    assert evening.site.requests == []
    async with database.begin(NOBODY) as tx:
        assert len((await tx.execute(text("SELECT * FROM feeds"))).all()) == 1
    await accounts.enable(boss, ann.name)
    await evening.feeds.poll_once()
    assert await evening.taken(ann) == ["Show - 01"]


async def test_what_a_rule_that_is_switched_off_still_wanted_waits(evening: Evening, ann: User) -> None:
    url = evening.offer("Show - 01")
    evening.site.page("/Show_-_01.torrent", b"", status="503 Later")
    rule = await evening.rule(ann, url)
    await evening.feeds.poll_once()
    await evening.feeds.rulebook.set_enabled(ann, rule.id, on=False)
    await evening.later(days=1)
    assert evening.site.asked("/Show_-_01.torrent") == 1


async def test_a_link_that_does_not_answer_is_asked_ever_more_rarely_and_given_up(evening: Evening, ann: User) -> None:
    url = evening.offer("Show - 01")
    evening.site.page("/Show_-_01.torrent", b"", status="503 Later")
    await evening.rule(ann, url)
    await evening.feeds.poll_once()
    for _ in range(3):
        await evening.later(seconds=15)
    assert evening.site.asked("/Show_-_01.torrent") == 1
    for _ in range(MOST_TRIES):
        await evening.later(days=1)
    assert evening.site.asked("/Show_-_01.torrent") == MOST_TRIES
    assert [one.outcome for one in await evening.takings(ann)] == [Outcome.FAILED]


async def test_what_an_admin_has_stand_still_is_not_given_up(evening: Evening, ann: User, boss: Admin) -> None:
    """The job waits meanwhile, but for what it had begun."""
    panic = evening.built.services.library.panic
    evening.site.page("/Show_-_01.torrent", b"", status="503 Later")
    await evening.rule(ann, serve(evening, "/rss", item(evening, "Show - 01")))
    evening.site.page("/Show_-_01.torrent", b"", status="503 Later")
    await evening.feeds.poll_once()
    for _ in range(MOST_TRIES - 2):
        await evening.later(days=1)
    evening.site.page("/Show_-_01.torrent", metainfos.single("Show - 01.mkv"))
    await panic.press(boss)
    await evening.later(days=1)
    assert [one.outcome for one in await evening.takings(ann)] == [Outcome.WANTED]
    await panic.release(boss)
    await evening.later(days=1)
    assert await evening.taken(ann) == ["Show - 01"]


async def test_what_the_disk_has_no_room_for_is_taken_once_it_has(evening: Evening, ann: User) -> None:
    space = evening.built.services.library.space
    space.floor_bytes = 2**60
    await evening.rule(ann, serve(evening, "/rss", item(evening, "Show - 01")))
    await evening.feeds.poll_once()
    (taking,) = await evening.takings(ann)
    assert taking.outcome is Outcome.WANTED
    assert taking.why.startswith("It needs 1 KiB; 0 B are free beside what is downloading")
    for _ in range(2 * MOST_TRIES):
        await evening.later(hours=1)
    assert (await evening.takings(ann))[0].outcome is Outcome.WANTED

    space.floor_bytes = 0
    await evening.later(hours=1)
    assert await evening.taken(ann) == ["Show - 01"]


async def test_when_a_host_does_not_answer_its_other_links_wait_too(evening: Evening, ann: User) -> None:
    url = evening.offer("Show - 01", "Show - 02", "Show - 03")
    evening.site.page("/Show_-_01.torrent", b"", status="503 Later")
    await evening.rule(ann, url)
    await evening.feeds.poll_once()
    assert sum(".torrent" in asked for asked in evening.site.requests) == 1
    evening.offer()
    await evening.later(seconds=61)
    assert await evening.taken(ann) == ["Show - 01", "Show - 02", "Show - 03"]


async def test_a_link_is_fetched_once_by_two_daemons(evening: Evening, ann: User) -> None:
    url = evening.offer("Show - 01")
    torrent = evening.site.pages["/Show_-_01.torrent"]
    evening.site.page("/Show_-_01.torrent", b"", status="503 Later")
    await evening.rule(ann, url)
    await evening.feeds.poll_once()
    evening.site.pages["/Show_-_01.torrent"] = torrent
    evening.clock.move(seconds=61)
    other = evening.feeds.paced(now=evening.clock, gap_s=0)
    await asyncio.gather(evening.feeds.poll_once(), other.poll_once())
    assert evening.site.asked("/Show_-_01.torrent") == 2
    assert await evening.taken(ann) == ["Show - 01"]


async def test_an_address_that_cannot_be_unsealed_says_so_and_keeps_nothing_else(
    evening: Evening, ann: User, database: Database
) -> None:
    url = evening.offer("Show - 01")
    await evening.rule(ann, url)
    evening.site.page("/Show_-_01.torrent", b"", status="503 Later")
    await evening.feeds.poll_once()
    async with database.begin(SYSTEM) as tx:
        await tx.execute(text("UPDATE feeds SET sealed_url = 'v1:gone:x:x'"))
        await tx.execute(text("UPDATE takings SET sealed_link = 'v1:gone:x:x'"))
    evening.clock.move(minutes=11)
    await evening.rule(ann, evening.offer("Show - 02", path="/other"))
    await evening.feeds.poll_once()
    lost, kept = await evening.feeds.rulebook.rules(ann)
    assert lost.error.startswith("Give its address anew: ")
    assert (kept.error, await evening.taken(ann)) == ("", ["Show - 02"])
    await evening.feeds.change(ann, lost.id, url=url)
    await evening.feeds.poll_now(ann)
    mended, _ = await evening.feeds.rulebook.rules(ann)
    assert (mended.error, mended.url) == ("", url)


async def test_an_episode_is_noted_once_for_all_rules_that_are_bound_to_its_show(evening: Evening, ann: User) -> None:
    await evening.feeds.add(ann, evening.offer("Show - 01", "Show - 01 again"), Terms(), Saving(media_id=1))
    await evening.feeds.add(ann, evening.offer(path="/other"), Terms(), Saving(media_id=1))
    book = evening.feeds.rulebook
    one, two = [(await book.followers(feed.id))[0] for feed in await book.due(evening.clock.at)]
    tried = await evening.feeds.try_out(ann, (await evening.rule(ann, evening.offer(path="/free"))).id)
    for owned, offered in zip((one, two), tried, strict=True):
        await book.note(owned, [(offered.item, 1)], evening.clock.at)
    assert len(await evening.takings(ann)) == 1


async def test_what_was_taken_long_ago_is_forgotten_some_day(evening: Evening, ann: User) -> None:
    await evening.rule(ann, evening.offer("Show - 01"))
    await evening.feeds.poll_once()
    evening.titles.clear()
    evening.offer("Show - 02")
    await evening.later(days=401)
    assert [one.title for one in await evening.takings(ann)] == ["Show - 02"]


async def test_a_host_with_many_feeds_holds_up_no_other(
    evening: Evening, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "HOST_TURN_S", -1.0)
    for path in ("/one", "/two", "/three"):
        await evening.rule(ann, evening.offer(path=path))
    await evening.feeds.poll_once()
    assert len(evening.site.requests) == 0
    monkeypatch.setattr(polling, "HOST_TURN_S", 60.0)
    await evening.feeds.poll_once()
    assert len(evening.site.requests) == 3


async def test_a_feed_is_read_in_time_although_the_job_comes_by_only_now_and_then(evening: Evening, ann: User) -> None:
    await evening.rule(ann, evening.offer("Show - 01"))
    await evening.feeds.poll_once()
    (rule,) = await evening.feeds.rulebook.rules(ann)
    assert rule.next_at is not None
    assert rule.next_at + timedelta(seconds=15) <= evening.clock.at + timedelta(minutes=10)
