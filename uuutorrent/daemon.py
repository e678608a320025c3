"""The composition root: open everything once, run it in one TaskGroup, close it in the opposite order."""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import structlog

from uuutorrent import configuring, logs, machine, metrics, supervised
from uuutorrent.accounts import Accounts, Operator
from uuutorrent.automation.every import Job, every
from uuutorrent.backup.beforehand import back_up_before_change
from uuutorrent.backup.restoring import check_whole
from uuutorrent.backup.taking import Place, Taking
from uuutorrent.browser import door as browser
from uuutorrent.compose import compose
from uuutorrent.config import Config
from uuutorrent.desk import Services
from uuutorrent.errors import BadConfig, UuuError
from uuutorrent.ssh import server as ssh
from uuutorrent.store import migrate, policies
from uuutorrent.store.database import Database
from uuutorrent.store.private import hold, make_directory
from uuutorrent.tally import Tally
from uuutorrent.torrents.managed import Managed
from uuutorrent.torrents.qbittorrent import QBittorrent

log = structlog.get_logger()

RECONCILE_EVERY_S = 30
"""How often claims are compared with what the engine holds."""
FEEDS_EVERY_S = 15
"""How often it is asked which feeds are due."""
CHANNELS_EVERY_S = 15
"""How often it is asked whether somebody is to be told something outside."""
AUTOPILOT_EVERY_S = 15
"""How often it is asked which episodes are due."""
GUARD_EVERY_S = 10
"""How often it is looked how full the disk is."""
SEEDING_EVERY_S = 60
TRAFFIC_EVERY_S = 30
NEWCOMERS_EVERY_S = 15
HOURLY_S = 3600
DAILY_S = 86_400
NOTES_EVERY_S = 1
"""The audit's notes that wait, such as sign-ins, are written down so often."""
LAST_WORDS_S = 5
"""How long it may take at the end to write down what left the machine."""
NEWS_EVERY_S = 2
"""How often it is looked whether a download is complete, or a file was read to its end."""
PANIC_EVERY_S = 2
"""How often it is looked whether another daemon's admin pressed the panic key, and whether everything stands still."""
LOOK_AHEAD_EVERY_S = 1
"""How often shows that came into somebody's view are looked up before they are asked for."""
MOST_OPEN_FILES = 65_536
"""Programs that are started inherit it, and some look at each that there might be."""
INTERRUPT_GRACE_S = 2
"""After Ctrl+C transfers get no longer than this."""
ENGINE_STOP_S = 20
"""After SIGTERM the managed qBittorrent may take so long to write down what it has; thousands of torrents take 5 s."""
GC_THRESHOLDS = (20_000, 20, 100)
CONNECT_S = 15.0
"""No outside call waits longer for one step; each has a deadline of its own for the whole."""
USER_AGENT = f"uuutorrent/{version('uuutorrent')}"


@dataclass(frozen=True, slots=True)
class Opened:
    """What `opened` built: the services, and what only the daemon itself runs."""

    services: Services
    database: Database
    managed: Managed | None


@asynccontextmanager
async def opened(config: Config) -> AsyncGenerator[Opened]:
    """Everything that must be closed again, in the order it is opened. The schema is brought to head first.

    Raises:
        BadConfig: something that the configuration names cannot be used.
        Unreachable: the database does not answer.
    """
    async with AsyncExitStack() as stack:
        try:
            house = await _open(config, stack)
        except OSError as e:
            if e.filename is None:
                raise
            raise BadConfig(f"{e.filename} cannot be used: {e.strerror}") from e
        yield house


async def run(config: Config, file: Path | None = None) -> None:
    """The daemon's life: open, serve until told to stop, close.

    SIGTERM lets running transfers go on for `ssh.shutdown_grace_s`; SIGINT (Ctrl+C) for `INTERRUPT_GRACE_S` at most; a
    second signal ends them at once. Either ends what is still being opened at once. SIGHUP has the configuration read
    anew. `file` is what the configuration
    was read from.

    Raises:
        BadConfig: something that the configuration names cannot be used.
        Unreachable: the database does not answer.
        UuuError: a job broke; the log says how.
    """
    logs.configure(config.server)
    open_many_files()
    stopping = Stopping(config.ssh.shutdown_grace_s)
    try:
        await _serve(config, file, stopping)
    except ExceptionGroup as broken:
        log.error("daemon.broke", exc_info=broken)
        raise UuuError("something broke and ended the daemon; the log says what") from broken
    except asyncio.CancelledError:
        if not stopping.gave_up:
            raise
    log.info("daemon.stopped")


async def _open(config: Config, stack: AsyncExitStack) -> Opened:
    make_directory(config.server.data)
    stack.enter_context(hold(config.server.data))
    check_whole(config.server.data)
    tally = Tally()
    database = await stack.enter_async_context(Database(config.database_url, pool_size=config.database.pool_size))
    await back_up_before_change(config, None, database)
    await migrate.upgrade(database)
    await _warn_of_superuser(database)
    http = await stack.enter_async_context(httpx.AsyncClient(headers={"User-Agent": USER_AGENT}, timeout=CONNECT_S))
    managed = None if config.qbittorrent.url else await stack.enter_async_context(Managed(config, tally))
    at = managed or config.qbittorrent
    engine = await stack.enter_async_context(QBittorrent(at.url, at.username, at.password, tally))
    services = compose(config, database, engine, http, tally, Accounts(database, config.accounts))
    await services.jobs.prepare()
    return Opened(services, database, managed)


async def _warn_of_superuser(database: Database) -> None:
    try:
        async with database.connect() as connection:
            await connection.run_sync(policies.check)
    except BadConfig as e:
        log.warning("database.people_not_kept_apart", why=e.message)


async def _serve(config: Config, file: Path | None, stopping: Stopping) -> None:
    async with (
        opened(config) as house,
        ssh.serve(config, house.services) as door,
        _browser(house.services) as pages,
        metrics.serve(
            config.metrics,
            house.services,
            sessions=lambda: {**door.sessions(), "browser": pages.open_pages() if pages else 0},
            connections=door.connections,
            browsers=lambda: len(pages.sessions.every) if pages else 0,
            ready=house.database.ping,
        ) as metrics_port,
    ):
        # Once nothing can fail any more for want of a port: a one-time password is told once only.
        _greet(config, door.port, await house.services.accounts.first_admin())
        log.info("daemon.ready", port=door.port, metrics_port=metrics_port)
        supervised.ready()
        stopping.opened()
        _settle_memory()
        async with asyncio.TaskGroup() as group:
            jobs = [group.create_task(job, name=name) for name, job in _jobs(house, file)]
            jobs.append(group.create_task(_reload(house.services, file, stopping.reload), name="reload"))
            await stopping.told.wait()
            log.info("daemon.stopping", grace_s=stopping.grace_s)
            supervised.stopping()
            if house.managed and not stopping.is_interrupt:
                house.managed.patience_s = ENGINE_STOP_S
            await stopping.unless_told_again(_drain(door, pages, stopping.grace_s))
            for job in jobs:
                job.cancel()
        with suppress(UuuError, TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await house.services.audit.write_once()
                await _count_served(house.services)
                await house.services.traffic.count_seeded()


async def _drain(door: ssh.Server, pages: browser.BrowserDoor | None, grace_s: float) -> None:
    """Tell everybody at either door, and let what is being sent end for so long."""
    async with asyncio.TaskGroup() as group:
        group.create_task(door.drain(grace_s), name="drain ssh")
        if pages is not None:
            group.create_task(pages.drain(grace_s), name="drain browsers")


@asynccontextmanager
async def _browser(services: Services) -> AsyncGenerator[browser.BrowserDoor | None]:
    """The door for browsers, where there is one."""
    if not services.config.browser.enabled:
        yield None
        return
    async with browser.serve(services) as door:
        yield door


class Stopping:
    """Waits for the signals that end the daemon."""

    def __init__(self, grace_s: float) -> None:
        self.grace_s = grace_s
        self.told = asyncio.Event()
        self.is_interrupt = False
        """It was Ctrl+C: somebody waits at a terminal."""
        self.gave_up = False
        """It came before everything was open."""
        self._again = asyncio.Event()
        self._opening = asyncio.current_task()
        self.reload = asyncio.Event()
        """The configuration is to be read anew."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._tell, number)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload.set)

    def opened(self) -> None:
        """Everything is open: from now on there is something to be ended in peace."""
        self._opening = None

    def _tell(self, number: signal.Signals) -> None:
        if self.told.is_set():
            self._again.set()
        if number == signal.SIGINT:
            self.is_interrupt, self.grace_s = True, min(self.grace_s, INTERRUPT_GRACE_S)
        self.told.set()
        if self._opening is not None and not self.gave_up:
            self.gave_up = True
            self._opening.cancel()

    async def unless_told_again(self, draining: Coroutine[Any, Any, None]) -> None:
        """Wait for `draining`, or for a second signal, which ends it."""
        async with asyncio.TaskGroup() as group:
            drain = group.create_task(draining, name="drain")
            impatience = group.create_task(self._again.wait(), name="second signal")
            await asyncio.wait({drain, impatience}, return_when=asyncio.FIRST_COMPLETED)
            drain.cancel()
            impatience.cancel()


def _jobs(house: Opened, file: Path | None) -> list[tuple[str, Coroutine[Any, Any, None]]]:
    services = house.services
    return [
        ("live", services.live.run()),
        ("lag", metrics.sample_lag(services.tally)),
        ("watchdog", supervised.keep_alive()),
        ("jobs", services.jobs.run(shared_jobs(services))),
        *((job.name, every(job, services.tally)) for job in (*own_jobs(services), _backup(services, file))),
        *([("qbittorrent", house.managed.run())] if house.managed else []),
    ]


def shared_jobs(services: Services) -> list[Job]:
    """What one daemon does for all that share its database: name, interval, deadline (both in seconds), turn."""
    panic = services.library.panic
    return [
        Job("feeds", FEEDS_EVERY_S, 300, panic.pauses(services.feeds.poll_once)),
        Job("autopilot", AUTOPILOT_EVERY_S, 600, panic.pauses(services.autopilot.run_once)),
        Job("channels", CHANNELS_EVERY_S, 600, services.deliveries.run_once),
        Job("health", services.config.automation.health_every_s, 60, services.observations.look_once),
        Job("healing", services.config.automation.health_every_s, 300, panic.pauses(services.healing.run_once)),
        Job("probe", services.config.automation.health_every_s, 300, services.observations.probe_once),
        Job("seeding", SEEDING_EVERY_S, 120, panic.pauses(services.upkeep.seed_once)),
        Job("traffic", TRAFFIC_EVERY_S, 60, services.traffic.run_once),
        Job("newcomers", NEWCOMERS_EVERY_S, 60, services.upkeep.newcomers_once),
        Job("audit", DAILY_S, 300, services.audit.drop_once),
        Job("tidying", HOURLY_S, 1800, panic.pauses(services.tidying.run_once)),
    ]


def own_jobs(services: Services) -> list[Job]:
    """What each daemon does for itself."""
    panic = services.library.panic
    return [
        Job("panic", PANIC_EVERY_S, 60, panic.turn_once),
        Job("resume", RECONCILE_EVERY_S, 600, panic.pauses(services.grabs.resume)),
        Job("reconcile", RECONCILE_EVERY_S, 300, lambda: _keep_order(services)),
        Job("guard", GUARD_EVERY_S, 60, services.upkeep.guard_once),
        Job("notes", NOTES_EVERY_S, 30, services.audit.write_once),
        Job("egress", TRAFFIC_EVERY_S, 30, lambda: _count_served(services)),
        Job("orphans", SEEDING_EVERY_S, 1800, services.upkeep.orphans_once),
        Job("machine", machine.SAMPLE_S, 30, services.machine.sample_once),
        Job("arrivals", NEWS_EVERY_S, 120, services.arrivals.run_once),
        Job("uses", NEWS_EVERY_S, 300, services.uses.run_once),
        Job("look ahead", LOOK_AHEAD_EVERY_S, 60, services.watchlists.look_ahead),
    ]


async def _reload(services: Services, file: Path | None, told: asyncio.Event) -> None:
    """Read the configuration anew whenever that is told, for ever. One that is wrong changes nothing."""
    while True:
        await told.wait()
        told.clear()
        supervised.reloading()
        try:
            done = configuring.reload(services.config, file)
        except BadConfig as e:
            log.error("config.not_reloaded", why=e.message)
        else:
            logs.configure(services.config.server)
            services.audit.later(Operator(), "config reload", detail=" ".join(done.changed))
            log.info("config.reloaded", changed=" ".join(done.changed), needs_restart=" ".join(done.waiting))
        supervised.ready()


def _backup(services: Services, file: Path | None) -> Job:
    taking = Taking(Place.of(services.config, file), services.tally)

    async def turn() -> None:
        await taking.take()
        services.tally.mark("backup_drill_last_success_timestamp_seconds", taking.last_practised())

    return Job("backup", services.config.backup.every_s, 900, turn)


async def _keep_order(services: Services) -> None:
    """Claims and engine brought in step (as soon as the engine is up), and the grabs that waited for it moved on."""
    await services.recovered.look_once()
    await services.library.reconcile(patience_s=RECONCILE_EVERY_S)
    await services.grabs.settle()


async def _count_served(services: Services) -> None:
    """What the file doors of this daemon served is written down: for each user, and in all."""
    await services.limits.flush()
    await services.traffic.flush()


def _greet(config: Config, port: int, password: str | None) -> None:
    """Tell the operator how to sign in; the one-time password is told at the first start only."""
    lines = [f"uuutorrent {version('uuutorrent')} listens on {config.ssh.host} port {port}."]
    if password:
        lines += [
            "This first start made an admin. Sign in with",
            f"\n    {config.ssh.model_copy(update={'port': port}).reach('admin')}\n",
            f"one-time password: {password}",
            "It is shown only now; you choose your own when you sign in.",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def open_many_files() -> None:
    """Take the descriptors that the system allows: one user may have thousands of files open, and with the usual 1,024
    nobody else could sign in then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # a system that has become stricter since the limit was set
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, MOST_OPEN_FILES)), hard))


def _settle_memory() -> None:
    """What was imported and built lives as long as the process: keep it out of every later collection.

    A full collection costs about 3 ms per open screen, so they are made rarer than Python's default.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
