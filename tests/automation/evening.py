"""Feeds over everything real but the engine, for tests of what polls do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.desks import Built
from tests.servers.site import Site
from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.automation.feeds.feeds import Feeds
from uuutorrent.automation.feeds.rule import Outcome, Rule, Saving, Taking, Terms


@dataclass
class Clock:
    at: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Evening:
    """Feeds over everything real but the engine, a site that serves them, and a clock."""

    built: Built
    site: Site
    clock: Clock
    feeds: Feeds
    titles: list[str] = field(default_factory=list)

    def offer(self, *titles: str, path: str = "/rss", etag: str = "") -> str:
        """Serve a feed of these titles, the last the newest, with a .torrent for each; its address."""
        self.titles += titles
        items = []
        for title in reversed(self.titles):
            name = title.replace(" ", "_")
            self.site.page(f"/{name}.torrent", metainfos.single(f"{title}.mkv"))
            items.append(f"<item><title>{title}</title><link>{self.site.url}/{name}.torrent</link></item>")
        body = f"<?xml version='1.0'?><rss version='2.0'><channel>{''.join(items)}</channel></rss>"
        self.site.page(path, body.encode(), etag=etag)
        return f"{self.site.url}{path}"

    async def rule(self, user: User, url: str, terms: Terms | None = None, *, daily: int = 20) -> Rule:
        return await self.feeds.add(user, url, terms or Terms(), Saving(daily=daily))

    async def taken(self, user: User) -> list[str]:
        return [one.title for one in await self.takings(user) if one.outcome is Outcome.TAKEN]

    async def takings(self, user: User) -> Sequence[Taking]:
        return tuple(reversed(await self.feeds.rulebook.takings(user)))

    async def names(self, user: User) -> list[str]:
        """What the user has in their library."""
        return sorted(one.name for one in await self.built.services.library.holdings(user))

    async def later(self, **by: float) -> None:
        self.clock.move(**by)
        await self.feeds.poll_once()
