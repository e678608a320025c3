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
from uuutorrent.automation.autopilot.autopilot import LOOK_GAP_S, Autopilot
from uuutorrent.automation.channels.channels import Channels
from uuutorrent.automation.channels.couriers import Couriers
from uuutorrent.automation.channels.deliveries import Deliveries
from uuutorrent.automation.feeds.binding import Binding
from uuutorrent.automation.feeds.feeds import Feeds
from uuutorrent.automation.feeds.rulebook import Rulebook
from uuutorrent.automation.health.healing import Healing
from uuutorrent.automation.health.observations import Observations
from uuutorrent.automation.health.probing import Probing
from uuutorrent.automation.health.replacing import Replacing
from uuutorrent.automation.health.substitutes import Substitutes
from uuutorrent.automation.health.timeline import Timeline
from uuutorrent.automation.health.treatments import LEASE_S, Treatments
from uuutorrent.automation.inbox.answers import Answers
from uuutorrent.automation.inbox.arrivals import Arrivals
from uuutorrent.automation.inbox.inbox import Inbox
from uuutorrent.automation.inbox.uses import Uses
from uuutorrent.automation.jobs import Jobs
from uuutorrent.automation.preferences import PreferenceBook
from uuutorrent.automation.upkeep.around import Around
from uuutorrent.automation.upkeep.meters import Meters
from uuutorrent.automation.upkeep.recovered import Recovered
from uuutorrent.automation.upkeep.tidying import Tidying
from uuutorrent.automation.upkeep.traffic import Traffic
from uuutorrent.automation.upkeep.upkeep import Upkeep
from uuutorrent.config import Config
from uuutorrent.desk import Services
from uuutorrent.invites import Invites
from uuutorrent.limits import Limits
from uuutorrent.machine import Machine
from uuutorrent.penalties import Penalties, tariff
from uuutorrent.presence import Presence
from uuutorrent.releases.naming import Naming
from uuutorrent.releases.nyaa import GAP_S, Nyaa
from uuutorrent.releases.search import Releases
from uuutorrent.remote import Clock
from uuutorrent.secondfactors import SecondFactors
from uuutorrent.serving import Turns
from uuutorrent.signup import SignUps
from uuutorrent.store.database import Database
from uuutorrent.store.sealed import KeyRing
from uuutorrent.tally import Tally
from uuutorrent.torrents.drop import Drop
from uuutorrent.torrents.engine import Engine
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.grabs import Grabs
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.looked import LookedAt
from uuutorrent.torrents.outside import Outside
from uuutorrent.torrents.sources import Sources
from uuutorrent.torrents.views.incoming import Incoming
from uuutorrent.torrents.views.looks import Looks
from uuutorrent.torrents.views.room import Room
from uuutorrent.torrents.views.shelf import New, Shelf, Shows, Unwatched
from uuutorrent.torrents.views.shownames import ShowNames
from uuutorrent.torrents.views.telling import Telling


@dataclass(frozen=True, slots=True)
class Times:
    """The clocks that the services go by, and their pace towards what is outside; tests have others."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Clock = time.monotonic
    index_gap_s: float = GAP_S
    list_gap_s: float = LOOK_GAP_S


@dataclass(frozen=True, slots=True)
class _Ground:
    """What everything stands on."""

    config: Config
    database: Database
    engine: Engine
    http: httpx.AsyncClient
    tally: Tally
    accounts: Accounts
    times: Times
    keyring: KeyRing
    outside: Outside


@dataclass(frozen=True, slots=True)
class _Core:
    """What people ask for themselves."""

    live: Live
    limits: Limits
    watchlists: Watchlists
    nyaa: Nyaa
    releases: Releases
    sources: Sources
    library: Library
    grabs: Grabs


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
    keyring = KeyRing.open(config.server.data / "keyring")
    outside = Outside(allow_loopback=config.torrents.allow_loopback)
    ground = _Ground(config, database, LookedAt(engine), http, tally, accounts, times, keyring, outside)
    return _services(ground, _core(ground))


def _core(on: _Ground) -> _Core:
    config, times = on.config, on.times
    live = Live(on.engine, config.qbittorrent.poll_s)
    anilist = AniList(on.http, config.anilist, on.tally, clock=times.clock)
    watchlists = Watchlists(on.database, anilist, on.keyring, config.anilist, clock=times.clock)
    sources = Sources(on.outside)
    floor = config.upkeep.free_floor_bytes
    limits = Limits(on.database, config.torrents, config.files, now=times.now)
    library = Library(on.database, on.engine, live, limits, config.download_dir, sources=sources, floor_bytes=floor)
    check = library.panic.check
    nyaa = Nyaa(on.http, config.nyaa, on.tally, gap_s=times.index_gap_s, clock=times.clock, check=check)
    releases = Releases(on.database, nyaa, watchlists, accounts=config.accounts, now=times.now)
    grabs = Grabs(on.database, watchlists, releases, library, on.tally)
    return _Core(live, limits, watchlists, nyaa, releases, sources, library, grabs)


def _services(on: _Ground, core: _Core) -> Services:
    """The core, and what happens by itself."""
    config, database, library, now = on.config, on.database, core.library, on.times.now
    preferences, inbox = PreferenceBook(database), Inbox(database, now=now)
    couriers = Couriers(allow_private=config.notifications.allow_private)
    channels = Channels(database, on.keyring, inbox, couriers, now=now)
    naming = Naming(core.releases, core.watchlists)
    quiet_s = config.automation.watched_after_s
    uses = Uses(database, library, core.watchlists, naming, preferences, inbox, quiet_s=quiet_s, now=now)
    feeds = _feeds(on, core)
    timeline, observations = Timeline(database, now=now), _observations(on, core)
    replacing = Replacing(database, library, core.grabs, core.releases.blocks, timeline, inbox, now=now)
    autopilot = _autopilot(on, core, preferences, inbox, timeline, replacing, uses)
    answers = {"watched": uses.answered, "pursuit": autopilot.answered, "backlog": autopilot.answered}
    errands, meters, invites = feeds.rulebook.errands, Meters(database), Invites(database, now=now)
    drop = Drop(library, config.files.drop_bytes, now=now)
    upkeep = Upkeep(database, library, on.accounts, inbox, meters, config.upkeep, now=now)
    return Services(
        config=config, tally=on.tally, accounts=on.accounts, audit=on.accounts.audit,
        penalties=Penalties(tariff(config.penalties), config.penalties.exempt, clock=on.times.clock),
        second_factors=SecondFactors(database, on.keyring, on.accounts, clock=on.times.clock),
        invites=invites, signups=SignUps(database, on.accounts, invites),
        presence=Presence(), machine=Machine(on.tally, config.download_dir, clock=on.times.clock),
        limits=core.limits, turns=Turns(config.files.total_bps),
        watchlists=core.watchlists, releases=core.releases,
        live=core.live, library=library, grabs=core.grabs,
        files=_files(on, core, naming, drop), drop=drop, feeds=feeds,
        preferences=preferences, inbox=inbox, uses=uses, autopilot=autopilot, answers=Answers(inbox, answers),
        arrivals=Arrivals(library, core.live, core.grabs, errands, core.watchlists, inbox, now=now),
        timeline=timeline, observations=observations, replacing=replacing,
        healing=_healing(on, core, observations, replacing, timeline, inbox),
        channels=channels, deliveries=Deliveries(channels, inbox, preferences, couriers, on.tally, now=now),
        jobs=Jobs(database, on.tally),
        recovered=Recovered(config.server.data, library.orphans, on.accounts, inbox),
        upkeep=upkeep, around=Around(on.tally, on.accounts, core.live, feeds.rulebook, upkeep),
        traffic=Traffic(database, on.engine, on.tally, on.accounts, inbox, meters, config.upkeep, now=now),
        tidying=Tidying(preferences, library, core.watchlists, uses, inbox, now=now),
    )  # fmt: skip


def _files(on: _Ground, core: _Core, naming: Naming, drop: Drop) -> Files:
    config, clock, lists = on.config, on.times.clock, core.watchlists
    names = ShowNames(on.database, lists, clock=clock)
    shelf = Shelf(Telling(naming, clock=clock), names)
    rooms: dict[str, Room] = {
        "anime": Shows(shelf),
        "incoming": Incoming(core.library, core.live, on.engine, is_readable=config.files.incoming, clock=clock),
        "new": New(shelf, Looks(on.database, now=on.times.now)),
        "unwatched": Unwatched(shelf, lists),
    }
    return Files(core.library, config.download_dir, rooms, drop=drop, hard_links=config.files.hard_links)


def _feeds(on: _Ground, core: _Core) -> Feeds:
    return Feeds(
        Rulebook(on.database, on.keyring),
        on.outside,
        core.sources,
        core.library,
        Binding(core.releases, core.watchlists, core.library),
        on.tally,
        every_s=on.config.automation.feeds_every_s,
        spacings={httpx.URL(on.config.nyaa.base_url).host: core.nyaa.spacing},
    )


def _autopilot(
    on: _Ground,
    core: _Core,
    preferences: PreferenceBook,
    inbox: Inbox,
    timeline: Timeline,
    replacing: Replacing,
    uses: Uses,
) -> Autopilot:
    every_s, times = on.config.automation.autopilot_every_s, on.times
    return Autopilot(
        on.database, core.watchlists, core.releases, core.library, core.grabs, preferences, inbox, timeline, replacing,
        uses, on.tally, every_s=every_s, gap_s=times.list_gap_s, now=times.now, clock=times.clock,
    )  # fmt: skip


def _observations(on: _Ground, core: _Core) -> Observations:
    config = on.config
    probing, every_s = Probing(on.engine, core.watchlists, config.download_dir), config.automation.health_every_s
    return Observations(
        on.database, on.engine, core.live, core.library, probing, config.health, every_s=every_s, now=on.times.now
    )


def _healing(
    on: _Ground, core: _Core, observations: Observations, replacing: Replacing, timeline: Timeline, inbox: Inbox
) -> Healing:
    limits, now = on.config.health, on.times.now
    treatments = Treatments(on.database, lease_s=max(10, min(LEASE_S, limits.stalled_s)), now=now)
    substitutes = Substitutes(
        on.database, treatments, core.releases, replacing, timeline, inbox, settings=limits, now=now
    )
    return Healing(
        on.database, observations, core.library, core.live, core.releases.blocks, treatments, substitutes, replacing,
        timeline, settings=limits, now=now,
    )  # fmt: skip
