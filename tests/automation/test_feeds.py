from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.automation.evening import Evening
from tests.people import refusal
from tests.torrents.shelf import quota
from uuutorrent.accounts import User
from uuutorrent.automation.feeds.feeds import BACKOFF
from uuutorrent.automation.feeds.rule import Outcome, Terms
from uuutorrent.errors import Invalid, Missing, Refused, Unexpected
from uuutorrent.store.database import NOBODY, Database

EVERY_S = 600


async def test_what_fits_is_taken_the_oldest_first_and_shown_with_its_rule(evening: Evening, ann: User) -> None:
    url = evening.offer("Show - 01 720p", "Show - 02 1080p", "Show - 03 1080p")
    rule = await evening.rule(ann, url, Terms(include=("1080p",)))
    await evening.feeds.poll_once()
    assert await evening.taken(ann) == ["Show - 02 1080p", "Show - 03 1080p"]
    assert await evening.names(ann) == ["Show - 02 1080p.mkv", "Show - 03 1080p.mkv"]
    (shown,) = await evening.feeds.rulebook.rules(ann)
    assert (shown.id, shown.taken, shown.error, shown.polled_at) == (rule.id, 2, "", evening.clock.at)
    assert shown.last is not None
    assert shown.last.title == "Show - 03 1080p"


async def test_an_item_is_taken_once_also_when_two_rules_want_it(evening: Evening, ann: User) -> None:
    url = evening.offer("Show - 01")
    await evening.rule(ann, url)
    await evening.rule(ann, url, Terms(include=("Show",)))
    await evening.rule(ann, evening.offer(path="/other"))
    await evening.feeds.poll_once()
    await evening.later(minutes=11)
    assert await evening.taken(ann) == ["Show - 01"]


async def test_what_was_deleted_is_not_taken_again(evening: Evening, ann: User) -> None:
    await evening.rule(ann, evening.offer("Show - 01"))
    await evening.feeds.poll_once()
    (held,) = await evening.built.services.library.holdings(ann)
    await evening.built.services.library.delete(ann, held.infohash, with_files=True)
    await evening.later(minutes=11)
    assert await evening.names(ann) == []


async def test_a_feed_is_fetched_once_for_many_rules_and_only_when_its_time_has_come(
    evening: Evening, ann: User, bob: User
) -> None:
    url = evening.offer("Show - 01")
    for user in (ann, bob, bob):
        await evening.rule(user, url)
    for _ in range(3):
        await evening.feeds.poll_once()
    assert evening.site.asked("/rss") == 1
    await evening.later(seconds=EVERY_S)
    assert evening.site.asked("/rss") == 2
    assert (await evening.taken(ann), await evening.taken(bob)) == (["Show - 01"], ["Show - 01"])


async def test_what_has_not_changed_is_not_sent_again(evening: Evening, ann: User) -> None:
    await evening.rule(ann, evening.offer("Show - 01", etag='"one"'))
    await evening.feeds.poll_once()
    await evening.later(minutes=11)
    await evening.later(minutes=11)
    assert sum('if-none-match: "one"' in asked.lower() for asked in evening.site.requests) == 2
    evening.offer("Show - 02", etag='"two"')
    await evening.later(minutes=11)
    assert await evening.taken(ann) == ["Show - 01", "Show - 02"]


async def test_a_rule_made_later_sees_what_the_feed_said_before(evening: Evening, ann: User, bob: User) -> None:
    url = evening.offer("Show - 01", etag='"one"')
    await evening.rule(ann, url)
    await evening.feeds.poll_once()
    await evening.rule(bob, url)
    await evening.later(minutes=11)
    assert await evening.taken(bob) == ["Show - 01"]


async def test_looking_now_does_not_wait_and_tells_what_was_taken(evening: Evening, ann: User, bob: User) -> None:
    await evening.rule(bob, evening.offer(path="/bobs"))
    await evening.rule(ann, evening.offer("Show - 01"))
    first = await evening.feeds.poll_now(ann)
    assert (first.feeds, [one.title for one in first.taken]) == (1, ["Show - 01"])
    evening.offer("Show - 02")
    assert [one.title for one in (await evening.feeds.poll_now(ann)).taken] == ["Show - 02"]
    assert evening.site.asked("/bobs") == 0


async def test_a_broken_feed_says_so_and_is_asked_ever_more_rarely(evening: Evening, ann: User) -> None:
    evening.site.page("/rss", b"<!doctype html><html>", status="200 OK")
    await evening.rule(ann, f"{evening.site.url}/rss")
    for waited in BACKOFF[:3]:
        await evening.feeds.poll_once()
        (rule,) = await evening.feeds.rulebook.rules(ann)
        assert rule.error == "127.0.0.1: it answers with a web page instead of a feed"
        assert rule.next_at == evening.clock.at + waited
        evening.clock.move(seconds=waited.total_seconds())
    evening.offer("Show - 01")
    await evening.feeds.poll_once()
    (rule,) = await evening.feeds.rulebook.rules(ann)
    assert (rule.error, rule.taken) == ("", 1)


async def test_a_feed_that_asks_for_patience_gets_it(evening: Evening, ann: User) -> None:
    evening.site.page("/rss", b"", status="429 Slow Down", headers=["Retry-After: 3600"])
    await evening.rule(ann, f"{evening.site.url}/rss")
    await evening.feeds.poll_once()
    (rule,) = await evening.feeds.rulebook.rules(ann)
    assert rule.next_at == evening.clock.at + timedelta(hours=1)


async def test_one_broken_feed_does_not_keep_the_others(evening: Evening, ann: User) -> None:
    evening.site.page("/broken", b"", status="500 Oh No")
    await evening.rule(ann, f"{evening.site.url}/broken")
    await evening.rule(ann, evening.offer("Show - 01"))
    await evening.feeds.poll_once()
    assert await evening.taken(ann) == ["Show - 01"]


async def test_no_more_than_so_many_a_day(evening: Evening, ann: User) -> None:
    await evening.rule(ann, evening.offer(*(f"Show - {n:02}" for n in range(5))), daily=2)
    await evening.feeds.poll_once()
    await evening.later(minutes=11)
    assert await evening.taken(ann) == ["Show - 00", "Show - 01"]
    await evening.later(days=1)
    assert await evening.taken(ann) == ["Show - 00", "Show - 01", "Show - 02", "Show - 03"]


async def test_a_torrent_that_cannot_be_had_just_now_is_taken_later(evening: Evening, ann: User) -> None:
    url = evening.offer("Show - 01")
    torrent = evening.site.pages["/Show_-_01.torrent"]
    evening.site.page("/Show_-_01.torrent", b"", status="503 Later")
    await evening.rule(ann, url)
    await evening.feeds.poll_once()
    (waiting,) = await evening.takings(ann)
    assert (waiting.outcome, waiting.why) == (Outcome.WANTED, "127.0.0.1: it answers 503 just now; try again later")
    evening.site.pages["/Show_-_01.torrent"] = torrent
    await evening.later(seconds=61)
    assert await evening.taken(ann) == ["Show - 01"]


async def test_a_link_that_leads_to_no_torrent_is_given_up_with_the_reason(evening: Evening, ann: User) -> None:
    url = evening.offer("Show - 01")
    evening.site.page("/Show_-_01.torrent", b"nothing of the kind")
    await evening.rule(ann, url)
    await evening.feeds.poll_once()
    (given_up,) = await evening.takings(ann)
    assert given_up.outcome is Outcome.FAILED
    assert "cannot be used" in given_up.why


async def test_a_full_quota_is_told(evening: Evening, ann: User) -> None:
    await quota(evening.built.services.library, ann, torrents=1)
    await evening.rule(ann, evening.offer("Show - 01", "Show - 02"))
    await evening.feeds.poll_once()
    assert [(one.title, one.outcome) for one in await evening.takings(ann)] == [
        ("Show - 01", Outcome.TAKEN),
        ("Show - 02", Outcome.FAILED),
    ]


async def test_what_was_noted_before_a_kill_is_taken_after_it(evening: Evening, ann: User) -> None:
    url = evening.offer("Show - 01")
    await evening.rule(ann, url)
    rulebook = evening.feeds.rulebook
    (feed,) = await rulebook.due(evening.clock.at)
    assert await rulebook.lease(feed, evening.clock.at)
    (owned,) = await rulebook.followers(feed.id)
    (tried,) = await evening.feeds.try_out(ann, owned.rule.id)
    assert await rulebook.note(owned, [(tried.item, None)], evening.clock.at) == 0
    # Here the daemon was killed: the feed stays leased, the item noted.
    await evening.feeds.poll_once()
    assert await evening.taken(ann) == ["Show - 01"]
    assert evening.site.asked("/rss") == 1
    await evening.later(seconds=31)
    assert evening.site.asked("/rss") == 2


async def test_two_daemons_poll_a_feed_once(evening: Evening, ann: User) -> None:
    await evening.rule(ann, evening.offer("Show - 01", "Show - 02"))
    other = evening.feeds.paced(now=evening.clock, gap_s=0)
    await asyncio.gather(evening.feeds.poll_once(), other.poll_once())
    assert evening.site.asked("/rss") == 1
    assert await evening.taken(ann) == ["Show - 01", "Show - 02"]


async def test_trying_out_tells_about_every_item_and_takes_nothing(evening: Evening, ann: User) -> None:
    rule = await evening.rule(ann, evening.offer("Show - 01 720p", "Show - 02 1080p"), Terms(include=("1080p",)))
    assert [(one.item.title, one.complaints) for one in await evening.feeds.try_out(ann, rule.id)] == [
        ("Show - 02 1080p", ()),
        ("Show - 01 720p", ("without “1080p”",)),
    ]
    assert await evening.takings(ann) == ()
    await evening.feeds.poll_once()
    assert [one.complaints for one in await evening.feeds.try_out(ann, rule.id)] == [
        ("it was taken before",),
        ("without “1080p”",),
    ]


async def test_a_rule_that_is_switched_off_takes_nothing_and_its_feed_is_not_asked(evening: Evening, ann: User) -> None:
    rule = await evening.rule(ann, evening.offer("Show - 01"))
    await evening.feeds.rulebook.set_enabled(ann, rule.id, on=False)
    await evening.feeds.poll_once()
    assert evening.site.requests == []
    await evening.feeds.rulebook.set_enabled(ann, rule.id, on=True)
    await evening.feeds.poll_once()
    assert await evening.taken(ann) == ["Show - 01"]


async def test_a_rule_can_be_changed_to_another_feed(evening: Evening, ann: User) -> None:
    rule = await evening.rule(ann, f"{evening.site.url}/old")
    changed = await evening.feeds.change(
        ann, rule.id, url=evening.offer("Show - 01", "Show - 02"), terms=Terms(exclude=("01",))
    )
    assert changed.terms == Terms(exclude=("01",))
    await evening.feeds.poll_once()
    assert await evening.taken(ann) == ["Show - 02"]
    assert evening.site.asked("/old") == 0


async def test_nobody_sees_or_changes_the_rules_of_others(evening: Evening, ann: User, bob: User) -> None:
    rule = await evening.rule(ann, evening.offer("Show - 01"))
    book = evening.feeds.rulebook
    assert await book.rules(bob) == ()
    for trying in (
        book.one(bob, rule.id),
        evening.feeds.change(bob, rule.id, terms=Terms()),
        book.set_enabled(bob, rule.id, on=False),
        book.remove(bob, rule.id),
        evening.feeds.try_out(bob, rule.id),
    ):
        with pytest.raises(Missing, match="You have no such feed rule"):
            await trying
    await evening.feeds.poll_once()
    assert (await book.takings(bob), await book.takings(bob, rule.id)) == ((), ())


async def test_a_removed_rule_leaves_what_it_took_and_nothing_is_asked_any_more(evening: Evening, ann: User) -> None:
    rule = await evening.rule(ann, evening.offer("Show - 01"))
    await evening.feeds.poll_once()
    await evening.feeds.rulebook.remove(ann, rule.id)
    await evening.later(minutes=11)
    assert evening.site.asked("/rss") == 1
    assert [one.rule_id for one in await evening.takings(ann)] == [None]
    assert await evening.names(ann) == ["Show - 01.mkv"]


async def test_an_address_on_a_private_network_is_never_asked(evening: Evening, ann: User) -> None:
    rule = await evening.rule(ann, "http://169.254.169.254/rss")
    with pytest.raises(Refused, match="private network"):
        await evening.feeds.try_out(ann, rule.id)
    await evening.feeds.poll_once()
    (shown,) = await evening.feeds.rulebook.rules(ann)
    assert "private network" in shown.error


@pytest.mark.parametrize(
    "url", ["", "ftp://a.example/rss", "magnet:?xt=urn:btih:x", "http://u:p@a.example/", "x" * 5000]
)
async def test_what_is_no_address_of_a_feed_is_refused(evening: Evening, ann: User, url: str) -> None:
    with pytest.raises(Invalid) as told:
        await evening.rule(ann, url)
    assert told.value.field == "url"


async def test_a_feed_that_redirects_to_a_magnet_is_none(evening: Evening, ann: User) -> None:
    evening.site.redirect("/rss", "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567")
    rule = await evening.rule(ann, f"{evening.site.url}/rss")
    with pytest.raises(Unexpected, match="a magnet link instead of a feed"):
        await evening.feeds.try_out(ann, rule.id)


async def test_too_many_rules_are_refused(evening: Evening, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uuutorrent.automation.feeds.rulebook.MOST_RULES", 1)
    await evening.rule(ann, f"{evening.site.url}/a")
    assert "1 feed rules" in await refusal(evening.rule(ann, f"{evening.site.url}/b"))


async def test_a_passkey_is_sealed_in_the_database(evening: Evening, ann: User, database: Database) -> None:
    await evening.rule(ann, f"{evening.site.url}/rss?passkey=hunter2hunter2")
    async with database.begin(NOBODY) as tx:
        rows = (await tx.execute(text("SELECT * FROM feeds"))).all()
    assert len(rows) == 1
    assert "hunter2" not in str(rows)
