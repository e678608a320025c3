"""What a poll of feeds costs: CPU and wall time with many rules on one feed, and with many feeds.

Run: python -m benchmarks.feeds [--rounds 5]

The feed has 75 items in the form of Nyaa's, served on loopback; the database is SQLite in a scratch directory. Each
rule has two words, an expression and an exclusion; one in ten takes something. "again" is a poll of the same feed, of
which nothing is new. Nothing is downloaded: the engine is the tests' dictionary.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from benchmarks.machine import machine
from tests.desks import built
from tests.people import CHEAP_ROUNDS
from tests.servers.nyaa import PAGE
from tests.servers.site import Site, serving
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.automation.feeds.feeds import Feeds
from uuutorrent.automation.feeds.rule import Saving, Terms
from uuutorrent.config import Config
from uuutorrent.store import migrate
from uuutorrent.store.database import Database

ITEM = (
    "<item><title>[Group{n}] Some Show {n} - {n:02} (1080p) [ABCD{n:04}].mkv</title>"
    "<link>magnet:?xt=urn:btih:{n:040x}</link><guid>{n}</guid><size>700000000</size></item>"
)


def feed(first: int) -> bytes:
    items = "".join(ITEM.format(n=first + n) for n in range(PAGE))
    return f"<?xml version='1.0'?><rss version='2.0'><channel>{items}</channel></rss>".encode()


async def measured(name: str, rules: int, feeds: int, rounds: int) -> None:
    first, again = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as scratch:
            one, two = await _round(Path(scratch), rules, feeds)
            first.append(one)
            again.append(two)
    print(f"{name:28}{_figures(first)}{_figures(again)}")


async def _round(home: Path, rules: int, feeds: int) -> tuple[tuple[float, float], tuple[float, float]]:
    async with Database(f"sqlite+aiosqlite:///{home}/bench.db") as database, serving() as site:
        await migrate.upgrade(database)
        accounts = Accounts(database, Config().accounts, rounds=CHEAP_ROUNDS)
        users = [await accounts.create(Operator(), f"user{n}", password=None) for n in range(10)]
        async with built(database, home) as opened:
            at = [datetime.now(UTC)]
            service = opened.services.feeds.paced(now=lambda: at[0], gap_s=0)
            await _rules(service, site, users, rules, feeds)
            one = await _poll(service)
            at[0] += timedelta(hours=1)
            return one, await _poll(service)


async def _rules(service: Feeds, site: Site, users: Sequence[User], rules: int, feeds: int) -> None:
    for n in range(feeds):
        site.page(f"/{n}", feed(n * PAGE))
    for n in range(max(rules, feeds)):
        hit = n % 10 == 0
        terms = Terms(
            include=("some", f"show {n % PAGE}" if hit else "nothing"),
            regex=r"- \d+ \((1080p|2160p)\)",
            exclude=("HEVC",),
        )
        await service.add(users[n % len(users)], f"{site.url}/{n % feeds}", terms, Saving(daily=1000))


async def _poll(service: Feeds) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    await service.poll_once()
    return time.process_time() - cpu, time.perf_counter() - wall


def _figures(seconds: Sequence[tuple[float, float]]) -> str:
    cpu, wall = (statistics.median(column) for column in zip(*seconds, strict=True))
    return f"{cpu:9.3f}{wall:9.3f}"


async def measure(rounds: int) -> None:
    print(f"{'seconds, median':28}{'CPU':>9}{'wall':>9}{'again':>9}{'wall':>9}")
    await measured("1 rule, 1 feed", 1, 1, rounds)
    await measured("100 rules, 1 feed", 100, 1, rounds)
    await measured("1,000 rules, 1 feed", 1000, 1, rounds)
    await measured("200 feeds, a rule each", 200, 200, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    structlog.configure(processors=[], wrapper_class=structlog.make_filtering_bound_logger(50))
    print(machine())
    asyncio.run(measure(chosen.rounds))


if __name__ == "__main__":
    main()
