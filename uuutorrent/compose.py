"""Where all services are built, once, for the daemon and for its tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from uuutorrent.accounts import Accounts
from uuutorrent.anime.anilist import AniList
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.automation.answers import Answers
from uuutorrent.automation.arrivals import Arrivals
from uuutorrent.automation.autopilot import LOOK_GAP_S, Autopilot
from uuutorrent.automation.binding import Binding
from uuutorrent.automation.channels import Channels
from uuutorrent.automation.couriers import Couriers
from uuutorrent.automation.deliveries import Deliveries
from uuutorrent.automation.feeds import Feeds
from uuutorrent.automation.inbox import Inbox
from uuutorrent.automation.jobs import Jobs
from uuutorrent.automation.meters import Meters
from uuutorrent.automation.naming import Naming
from uuutorrent.automation.observations import Observations
from uuutorrent.automation.preferences import PreferenceBook
from uuutorrent.automation.probing import Probing
from uuutorrent.automation.rulebook import Rulebook
from uuutorrent.automation.tidying import Tidying
from uuutorrent.automation.timeline import Timeline
from uuutorrent.automation.traffic import Traffic
from uuutorrent.automation.upkeep import Upkeep
from uuutorrent.automation.uses import Uses
from uuutorrent.config import Config
from uuutorrent.desk import Services
from uuutorrent.releases.nyaa import GAP_S, Nyaa
from uuutorrent.releases.search import Releases
from uuutorrent.remote import Clock
from uuutorrent.store.database import Database
from uuutorrent.store.sealed import KeyRing
from uuutorrent.tally import Tally
from uuutorrent.torrents.engine import Engine
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.grabs import Grabs
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.outside import Outside
from uuutorrent.torrents.sources import Sources


@dataclass(frozen=True, slots=True)
class Times:
    """The clocks that the services go by, and their pace towards what is outside; tests have others."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Clock = time.monotonic
    index_gap_s: float = GAP_S
    list_gap_s: float = LOOK_GAP_S


def compose(
    config: Config,
    database: Database,
    engine: Engine,
    http: httpx.AsyncClient,
    tally: Tally,
    accounts: Accounts,
    *,
    times: Times = Times(),
) -> Services:
    """All services over what is open already.

    Raises:
        OSError: the keys that seal tokens cannot be read or written.
    """
    live = Live(engine, config.qbittorrent.poll_s)
    keyring = KeyRing.open(config.server.data / "keyring")
    watchlists = Watchlists(
        database, AniList(http, config.anilist, tally, clock=times.clock), keyring, config.anilist, clock=times.clock
    )
    nyaa = Nyaa(http, config.nyaa, tally, gap_s=times.index_gap_s, clock=times.clock)
    releases = Releases(database, nyaa, watchlists, now=times.now)
    outside = Outside(allow_loopback=config.torrents.allow_loopback)
    sources = Sources(outside)
    floor = config.upkeep.free_floor_bytes
    library = Library(database, engine, live, config.torrents, config.download_dir, sources=sources, floor_bytes=floor)
    binding = Binding(releases, watchlists, library)
    jobs = Jobs(database, tally)
    preferences, inbox = PreferenceBook(database), Inbox(database, now=times.now)
    couriers = Couriers(allow_private=config.notifications.allow_private)
    channels = Channels(database, keyring, inbox, couriers)
    naming = Naming(releases, watchlists)
    uses = Uses(database, library, watchlists, naming, preferences, inbox, now=times.now)
    feeds = _feeds(config, Rulebook(database, keyring), outside, sources, library, binding, tally, nyaa)
    grabs = Grabs(database, watchlists, releases, library, tally)
    autopilot = Autopilot(
        database, watchlists, releases, library, grabs, preferences, inbox, Timeline(database, now=times.now), tally,
        every_s=config.automation.autopilot_every_s, gap_s=times.list_gap_s, now=times.now, clock=times.clock,
    )  # fmt: skip
    return Services(
        config=config,
        tally=tally,
        accounts=accounts,
        watchlists=watchlists,
        releases=releases,
        live=live,
        library=library,
        grabs=grabs,
        files=Files(library, config.download_dir),
        feeds=feeds,
        preferences=preferences,
        inbox=inbox,
        uses=uses,
        arrivals=Arrivals(library, live, grabs, feeds.rulebook.errands, watchlists, inbox, now=times.now),
        autopilot=autopilot,
        observations=_observations(config, database, engine, live, library, watchlists, times),
        answers=Answers(
            inbox, {"watched": uses.answered, "pursuit": autopilot.answered, "backlog": autopilot.answered}
        ),
        channels=channels,
        deliveries=Deliveries(channels, inbox, preferences, couriers),
        jobs=jobs,
        upkeep=Upkeep(database, library, accounts, inbox, Meters(database), config.upkeep, now=times.now),
        traffic=Traffic(database, engine, tally, accounts, inbox, Meters(database), config.upkeep, now=times.now),
        tidying=Tidying(preferences, library, watchlists, uses, inbox, now=times.now),
    )


def _observations(
    config: Config,
    database: Database,
    engine: Engine,
    live: Live,
    library: Library,
    watchlists: Watchlists,
    times: Times,
) -> Observations:
    probing, every_s = Probing(engine, watchlists, config.download_dir), config.automation.health_every_s
    return Observations(database, engine, live, library, probing, config.health, every_s=every_s, now=times.now)


def _feeds(
    config: Config,
    rulebook: Rulebook,
    outside: Outside,
    sources: Sources,
    library: Library,
    binding: Binding,
    tally: Tally,
    nyaa: Nyaa,
) -> Feeds:
    spacings = {httpx.URL(config.nyaa.base_url).host: nyaa.spacing}
    every_s = config.automation.feeds_every_s
    return Feeds(rulebook, outside, sources, library, binding, tally, every_s=every_s, spacings=spacings)
