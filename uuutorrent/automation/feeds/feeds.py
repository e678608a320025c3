"""Feed rules at work: each feed is fetched once for all its rules, matched, and what fits is taken once.

A poll notes what fits before it takes it, so it is safe to run twice and to be killed at any point.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import httpx
import structlog

from uuutorrent.accounts import User
from uuutorrent.automation.feeds import item as items
from uuutorrent.automation.feeds.binding import Binding, Judged
from uuutorrent.automation.feeds.item import Item
from uuutorrent.automation.feeds.rule import Errand, Feed, Fitting, Outcome, Owned, Rule, Saving, Terms
from uuutorrent.automation.feeds.rulebook import Rulebook
from uuutorrent.errors import Halted, Unexpected, Unreachable, UuuError
from uuutorrent.releases.feed import NotAFeed
from uuutorrent.remote import Spacing
from uuutorrent.tally import Tally
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.outside import Got, Outside, read_url
from uuutorrent.torrents.sources import Sources
from uuutorrent.torrents.space import NoRoom

log = structlog.get_logger()

MAX_BYTES = 1 << 20
"""A feed of 75 items has some 100 KiB; reading a hostile one takes a second for each 100 KiB."""
HOSTS_AT_ONCE = 10
GAP_S = 2.0
"""Between two polls of one host."""
LINKS_PER_GAP = 4
"""A host gives so many .torrent files in the time of one poll."""
HOST_TURN_S = 30.0
"""A host's further feeds wait for the next turn after this: one that hangs, or has hundreds, holds up no other."""
LOOK_S = 15.0
"""A feed may be looked at so much too late; see the daemon's jobs."""
LONGEST_VERSION = 1000
JITTER = 0.1
"""Of the interval: feeds added together drift apart."""
GOLDEN = 0.618034
"""Its multiples are spread evenly between whole numbers."""
BACKOFF = tuple(timedelta(minutes=m) for m in (1, 5, 15, 30, 60, 180, 360, 720, 1440))
"""After the first, second, … failure in a row."""
NO_ROOM = timedelta(hours=1)
"""What the disk has no room for is tried again after so long, as often as it takes."""
MOST_TRIES = len(BACKOFF)
"""A link that does not work so often is given up, after two days."""
_NOT_MODIFIED = 304

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Polled:
    """What a look at some feeds brought."""

    feeds: int
    taken: tuple[Errand, ...]
    errors: tuple[str, ...]
    """A sentence for each thing that is wrong with feeds or rules."""


@dataclass(frozen=True, slots=True)
class Tried:
    """An item, and whether a rule would take it: only if there are no complaints."""

    item: Item
    complaints: tuple[str, ...]
    episode: int | None = None


class Feeds:
    """Rules for feeds, and their polls."""

    def __init__(
        self,
        rulebook: Rulebook,
        outside: Outside,
        sources: Sources,
        library: Library,
        binding: Binding,
        tally: Tally,
        *,
        every_s: float,
        gap_s: float = GAP_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        spacings: Mapping[str, Spacing] | None = None,
    ) -> None:
        self.rulebook = rulebook
        self._outside = outside
        self._sources = sources
        self._library = library
        self._binding = binding
        self._tally = tally
        self._every_s = every_s
        self._now = now
        # A host that is asked from elsewhere, too, has one pace for both.
        self._gates: dict[str, Spacing] = defaultdict(lambda: Spacing(gap_s), spacings or {})
        self._links: dict[str, Spacing] = defaultdict(lambda: Spacing(gap_s / LINKS_PER_GAP))
        self._hosts = asyncio.Semaphore(HOSTS_AT_ONCE)

    def paced(self, *, now: Callable[[], datetime], gap_s: float) -> Feeds:
        """The same rules, polled by another clock and with another gap between two requests to one host."""
        return Feeds(
            self.rulebook, self._outside, self._sources, self._library, self._binding, self._tally,
            every_s=self._every_s, gap_s=gap_s, now=now,
        )  # fmt: skip

    async def add(self, user: User, url: str, terms: Terms, saving: Saving) -> Rule:
        """Keep a rule for a feed; it takes what fits from its next poll on.

        Raises:
            Invalid: the address or the rule cannot be used; `field` names what is wrong.
            Refused: the user has too many rules.
        """
        return await self.rulebook.add(user, _address(url), terms, saving, self._now())

    async def change(
        self,
        user: User,
        rule_id: int,
        *,
        url: str | None = None,
        terms: Terms | None = None,
        saving: Saving | None = None,
    ) -> Rule:
        """Change what is given of a rule.

        Raises:
            Missing: this user has no such rule.
            Invalid: it cannot be kept like this; `field` names what is wrong.
        """
        address = None if url is None else _address(url)
        return await self.rulebook.change(user, rule_id, now=self._now(), url=address, terms=terms, saving=saving)

    async def try_out(self, user: User, rule_id: int) -> tuple[Tried, ...]:
        """What a rule would say now to everything in its feed; nothing is taken and nothing is noted.

        Raises:
            Missing: this user has no such rule.
            Refused, RemoteError: the feed cannot be read; as `Halted`: everything stands still.
        """
        await self._library.panic.check()
        rule = await self.rulebook.one(user, rule_id)
        feed = Feed(0, rule.url, "", "", 0, self._now())
        async with self._turn(feed):
            got = await self._fetch(feed)
        found = await asyncio.to_thread(_read, got)
        known = await self.rulebook.errands.known(user, rule, found)
        fitting = Fitting(rule.terms)
        complaints = {one.key: tuple(fitting.complaints(one)) for one in found}
        judged = await self._binding.judge(user, rule, [one for one in found if not complaints[one.key]])
        return tuple(_tried(one, complaints[one.key], judged.get(one.key), is_known=one.key in known) for one in found)

    async def poll_once(self) -> None:
        """Look at every feed whose time has come, and take what fits; a job."""
        await self.rulebook.tidy()
        await self._poll(await self.rulebook.due(self._now()))
        await self._run(await self.rulebook.waiting(self._now()))

    async def poll_now(self, user: User) -> Polled:
        """Look at the feeds of this user's rules, whether it is their time or not, and take what fits.

        A feed that is being looked at just now is left to whoever does so.

        Raises:
            Halted: everything stands still.
        """
        await self._library.panic.check()
        looks = await self._poll(await self.rulebook.due(self._now(), user=user))
        taken = tuple(one for look in looks for one in look if one.user.id == user.id)
        wrong = (rule.error for rule in await self.rulebook.rules(user) if rule.is_enabled and rule.error)
        return Polled(len(looks), taken, tuple(dict.fromkeys(wrong)))

    async def _poll(self, feeds: Sequence[Feed]) -> Sequence[Sequence[Errand]]:
        """What was taken, for each feed that was looked at."""
        hosts: dict[str, list[Feed]] = defaultdict(list)
        for feed in feeds:
            hosts[_host(feed.url)].append(feed)
        return [look for looks in await _all(map(self._poll_host, hosts.values())) for look in looks]

    async def _poll_host(self, feeds: Sequence[Feed]) -> Sequence[Sequence[Errand]]:
        """Poll feeds of one host, one after the other, as many as there is time for."""
        until, looks = time.monotonic() + HOST_TURN_S, []
        for feed in feeds:
            if time.monotonic() > until or await self._library.panic.look():
                break
            if (look := await self._poll_feed(feed)) is not None:
                looks.append(look)
        return looks

    async def _poll_feed(self, feed: Feed) -> Sequence[Errand] | None:
        """Poll one feed; what was taken, or None if somebody else polled it meanwhile."""
        async with self._turn(feed):
            if not await self.rulebook.lease(feed, self._now()):
                return None
            try:
                got = await self._fetch(feed)
                found = None if got.status == _NOT_MODIFIED else await asyncio.to_thread(_read, got)
            except UuuError as e:
                self._tally.count("feed_polls", "failed")
                await self.rulebook.failed(feed, e.message, self._now() + _wait(feed.failures, e))
                return ()
        self._tally.count("feed_polls", "unchanged" if found is None else "read")
        is_done = found is None or await self._match(feed, found)
        await self._note_read(feed, got, is_done=is_done)
        return await self._run(await self.rulebook.waiting(self._now(), feed.id))

    async def _note_read(self, feed: Feed, got: Got, *, is_done: bool) -> None:
        """A feed answered; what is not done with is to be sent again, though it be the same."""
        is_same = got.status == _NOT_MODIFIED
        etag = _version(got.headers.get("etag", feed.etag if is_same else "")) if is_done else ""
        modified = _version(got.headers.get("last-modified", feed.modified if is_same else "")) if is_done else ""
        wait = timedelta(seconds=(self._every_s - LOOK_S) * (1 - JITTER * (feed.id * GOLDEN % 1)))
        await self.rulebook.polled(feed, self._now(), self._now() + wait, etag=etag, modified=modified)

    @asynccontextmanager
    async def _turn(self, feed: Feed) -> AsyncGenerator[None]:
        """Wait until this feed's host may be asked again, and not too many others are."""
        async with self._gates[_host(feed.url)], self._hosts:
            yield

    async def _fetch(self, feed: Feed) -> Got:
        url = read_url(feed.url, field="url", wanted="")
        headers = {"Accept": "application/rss+xml, application/atom+xml, application/xml, text/xml, */*"}
        headers |= {"If-None-Match": feed.etag} if feed.etag else {}
        headers |= {"If-Modified-Since": feed.modified} if feed.modified else {}
        got = await self._outside.get(
            url, what="a feed", max_bytes=MAX_BYTES, headers=headers, allow_status=(_NOT_MODIFIED,)
        )
        if got.magnet:
            raise Unexpected(got.host, "it redirects to a magnet link instead of a feed")
        return got

    async def _match(self, feed: Feed, found: Sequence[Item]) -> bool:
        """Note down, for every rule of a feed, what is new and fits; whether nothing is left for another time."""
        left = 0
        for owned in await self.rulebook.followers(feed.id):
            error = ""
            try:
                left += await self._offer(owned, found)
            except UuuError as e:
                # One rule's trouble (AniList is away) is not the feed's, nor the other rules'.
                left, error = left + 1, e.message
            if error != owned.rule.error:
                await self.rulebook.say(owned, error)
            await asyncio.sleep(0)
        return not left

    async def _offer(self, owned: Owned, found: Sequence[Item]) -> int:
        """Note down what a rule wants of these; how many must wait for another day."""
        user, rule = owned.user, owned.rule
        fitting = Fitting(rule.terms)
        fits = [one for one in found if next(fitting.complaints(one), None) is None]
        known = await self.rulebook.errands.known(user, rule, fits) if fits else frozenset()
        fresh = [one for one in fits if one.key not in known]
        if not fresh:
            return 0
        judged = await self._binding.judge(user, rule, fresh)
        # The feed names the newest first; what came first is taken first.
        wanted = [(one, judged[one.key].episode) for one in reversed(fresh) if judged[one.key].is_wanted]
        return await self.rulebook.note(owned, wanted, self._now()) if wanted else 0

    async def _run(self, errands: Sequence[Errand]) -> Sequence[Errand]:
        """Take what is to be taken; what was."""
        hosts: dict[str, list[Errand]] = defaultdict(list)
        for errand in errands:
            hosts[_host(errand.link)].append(errand)
        return [one for taken in await _all(self._run_host(*each) for each in hosts.items()) for one in taken]

    async def _run_host(self, host: str, errands: Sequence[Errand]) -> Sequence[Errand]:
        """Take what one host has, one after the other; when it does not answer, the rest is put off as well."""
        taken = []
        for number, errand in enumerate(errands):
            if host:
                async with self._links[host]:
                    pass
            if not await self.rulebook.errands.begin(errand, self._now()):
                continue
            try:
                if infohash := await self._take(errand):
                    taken.append(replace(errand, infohash=infohash))
            except NoRoom as e:
                await self.rulebook.errands.put_off(errand, e.message, self._now() + NO_ROOM)
            except Unreachable as e:
                for one in errands[number:] if host else (errand,):
                    await self._put_off(one, e)
                if host:
                    break
        return taken

    async def _put_off(self, errand: Errand, e: Unreachable) -> None:
        if errand.tries + 1 >= MOST_TRIES and not isinstance(e, Halted):
            await self.rulebook.errands.settle(errand, Outcome.FAILED, e.message)
            self._tally.count("feed_takings", "failed")
        else:
            await self.rulebook.errands.put_off(errand, e.message, self._now() + _wait(errand.tries, e))

    async def _take(self, errand: Errand) -> str:
        """Have a torrent that a rule wants downloaded; its infohash, if it was taken.

        Raises:
            Unreachable: it cannot be had just now.
            NoRoom: the disk is too full for it.
        """
        saving, book = errand.rule.saving, self.rulebook.errands
        try:
            source = await self._sources.read(errand.link)
            if await book.was_taken(errand, (source.v1, source.v2)):
                await book.settle(
                    errand, Outcome.ALREADY, "It was taken before.", infohash=source.v1 or source.v2 or ""
                )
                return ""
            added = await self._library.add(
                errand.user, source, media_id=saving.media_id, episode=errand.episode, stopped=saving.stopped
            )
        except (Unreachable, NoRoom):
            raise
        except UuuError as e:
            await book.settle(errand, Outcome.FAILED, e.message)
            self._tally.count("feed_takings", "failed")
            return ""
        why = "You had it already." if added.already else added.queued
        await book.settle(errand, Outcome.TAKEN, why, infohash=added.infohash)
        self._tally.count("feed_takings", "taken")
        log.info("feed rule took something", rule=errand.rule.id, user=errand.user.name)
        return added.infohash


async def _all(works: Iterable[Awaitable[T]]) -> Sequence[T]:
    """Do all of it at once, and to the end even if some of it breaks; what broke is raised then."""
    done = await asyncio.gather(*works, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if not isinstance(one, BaseException)]


def _wait(failures: int, e: UuuError) -> timedelta:
    """How long what failed is left alone."""
    asked_s = e.retry_after_s if isinstance(e, Unreachable) and e.retry_after_s else 0.0
    backoff = BACKOFF[min(failures, len(BACKOFF) - 1)]
    return max(backoff, timedelta(seconds=min(asked_s, BACKOFF[-1].total_seconds())))


def _host(address: str) -> str:
    """Whom an address asks; nobody, for a magnet."""
    try:
        return httpx.URL(address).host
    except (httpx.InvalidURL, ValueError):
        return ""


def _version(said: str) -> str:
    """What a feed says of its version, if it can be sent back."""
    return said if said.isascii() and said.isprintable() and len(said) <= LONGEST_VERSION else ""


def _tried(item: Item, complaints: tuple[str, ...], judged: Judged | None, *, is_known: bool) -> Tried:
    if judged is None:
        return Tried(item, complaints)
    refused = (judged.why,) if not judged.is_wanted else ("it was taken before",) if is_known else ()
    return Tried(item, refused, judged.episode)


def _address(url: str) -> str:
    return str(read_url(url.strip(), field="url", wanted="Give the http(s) address of an RSS or Atom feed."))


def _read(got: Got) -> tuple[Item, ...]:
    try:
        return items.read(got.body)
    except NotAFeed as e:
        raise Unexpected(got.host, f"it answers with {e}") from e
