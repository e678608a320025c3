"""The panic key: an admin has everything stand still, and lets it go on.

What runs is written down before it is stopped, and forgotten after it was started: a turn that was cut short, or that
another daemon takes at the same time, is simply taken again. The owner of the tables `panic` and `stilled`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError

from uuutorrent import audit
from uuutorrent.accounts import Admin
from uuutorrent.errors import Halted, Invalid, Refused, RemoteError
from uuutorrent.people import authorise
from uuutorrent.store.database import NOBODY, SYSTEM, Database, Tx
from uuutorrent.store.tables import PanicRow, StilledRow
from uuutorrent.torrents.claims import Claims
from uuutorrent.torrents.engine import Engine, EngineId, NewTorrent, Phase, Torrent
from uuutorrent.torrents.holdings import Stored
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.placing import is_chosen
from uuutorrent.torrents.relay import Relay

log = structlog.get_logger()

LONGEST_REASON = 200
AGAIN_S = 10.0
"""How often it is looked whether qBittorrent lists by now what is to run again."""
GONE_S = 600.0
"""What it does not list for so long is not waited for any more."""
_ONE = 1
_RUNS = frozenset({Phase.METADATA, Phase.QUEUED, Phase.DOWNLOADING, Phase.STALLED, Phase.SEEDING, Phase.MOVING})
"""Of what is being checked nobody knows whether it runs: that shows afterwards."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Everything stands still."""

    at: datetime
    by: str
    reason: str = ""

    @property
    def sentence(self) -> str:
        """What people are told."""
        why = f" ({self.reason})" if self.reason else ""
        return f"An admin paused everything{why}, since {self.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC."


class Panic:
    """Whether everything stands still, and the hands that see to it."""

    def __init__(
        self,
        database: Database,
        claims: Claims,
        engine: Engine,
        live: Live,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._claims = claims
        self._engine = engine
        self._live = live
        self._clock = clock
        self._turning = asyncio.Lock()
        self._stilled: Halt | None = None
        """Everything was looked through once for it."""
        self._again_at = 0.0
        self._missing_since: float | None = None
        self.halt: Halt | None = None
        """As it was last known here; other daemons' keys are known within two seconds."""

    async def look(self) -> Halt | None:
        """Why everything stands still; None: it does not."""
        async with self._database.begin(NOBODY) as tx:
            row = await tx.get(PanicRow, _ONE)
            self.halt = Halt(row.at, row.by, row.reason) if row else None
        return self.halt

    async def check(self) -> None:
        """Let nobody pass while everything stands still.

        Raises:
            Halted: it does.
        """
        if (halt := await self.look()) is not None:
            raise Halted(f"{halt.sentence} It goes on when that is taken back.")

    # The key

    async def press(self, by: Admin, reason: str = "") -> Halt:
        """Have everything stand still, from now on and until `release`; who comes second changes nothing.

        While the engine is away it is done as soon as it answers.

        Raises:
            Refused: whoever asks is no admin any more.
            Invalid: the reason is too long.
        """
        reason = " ".join(audit.clean(reason, LONGEST_REASON + 1).split())
        if len(reason) > LONGEST_REASON:
            raise Invalid(f"a reason has at most {LONGEST_REASON} characters", field="reason")
        async with self._database.begin(SYSTEM) as tx:
            await authorise(tx, by)
            audit.note(tx, by, "panic on", detail=reason)
            with suppress(IntegrityError):  # somebody else did
                async with tx.begin_nested():
                    tx.add(PanicRow(id=_ONE, at=datetime.now(UTC), by=by.user.name, reason=reason))
        log.warning("panic.on", by=by.user.name, reason=reason)
        with suppress(RemoteError):
            await self.turn()
        halt = await self.look()
        if halt is None:
            raise Refused("another admin let everything go on at this moment")
        return halt

    async def release(self, by: Admin) -> Halt | None:
        """Let go on what ran before; None: nothing stood still.

        Raises:
            Refused: whoever asks is no admin any more.
        """
        was = await self.look()
        async with self._database.begin(SYSTEM) as tx:
            await authorise(tx, by)
            if await tx.scalar(delete(PanicRow).returning(PanicRow.id)) is None:
                return None
            audit.note(tx, by, "panic off")
        log.warning("panic.off", by=by.user.name)
        self._again_at = 0.0
        with suppress(RemoteError):
            await self.turn()
        return was

    # The hands

    async def turn(self) -> None:
        """Stop what runs, or start what ran; a job.

        Raises:
            RemoteError: the engine does not answer; the next turn goes on.
        """
        async with self._turning:
            if (halt := await self.look()) is not None:
                await self._still(halt)
            elif self._clock() >= self._again_at and (noted := await self._noted()):
                await self._go_on(noted)

    async def turn_once(self) -> None:
        """The same, without a word while the engine is away: everybody is told that elsewhere."""
        with suppress(RemoteError):
            await self.turn()

    def pauses(self, turn: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        """A job's turn that is left out while everything stands still."""

        async def unless_still() -> None:
            if await self.look() is None:
                await turn()

        return unless_still

    async def keep(self, torrents: Collection[str]) -> bool:
        """Whether everything stands still; these run then as soon as it goes on."""
        async with self._database.begin(NOBODY) as tx:
            return await self._note(tx, torrents)

    async def _still(self, halt: Halt) -> None:
        running = [one for one in await self._maybe_running(halt) if one.phase in _RUNS]
        if running:
            names, ids = [one.v1 or one.v2 for one in running], [one.id for one in running]
            if not await self.keep(names):
                return
            await self._engine.stop(ids)
            log.info("panic: stopped", torrents=len(running))
            self._live.poke()
            # Another daemon may have let everything go on just before these were stopped, and forgotten them.
            if not await self.keep(names):
                await self._engine.start(ids)
        self._stilled, self._missing_since = halt, None

    async def _maybe_running(self, halt: Halt) -> Sequence[Torrent]:
        """Everything the first time; then what was seen to run since: added in qBittorrent, or after a check."""
        if self._stilled != halt:
            return await self._engine.torrents()
        ids = [one.id for one in (await self._live.recent()).torrents if one.phase in _RUNS]
        return await self._engine.torrents(ids=ids) if ids else ()

    async def _go_on(self, noted: frozenset[str]) -> None:
        stored = {name: one for one in await self._claims.every() for name in (one.v1, one.v2) if name}
        there = [one for one in await self._engine.torrents() if {one.id, one.v1, one.v2} & noted]
        pairs = [(stored.get(one.v1) or stored.get(one.v2), one) for one in there]
        ids = [one.id for its, one in pairs if _may_run(its, one)]
        if ids:
            await self._engine.start(ids)
            log.info("panic: started", torrents=len(ids))
            self._live.poke()
        done = noted & {name for its, one in pairs if not _is_unchosen(its, one) for name in (one.id, one.v1, one.v2)}
        await self._forget(done | self._given_up(noted - done))

    def _given_up(self, missing: frozenset[str]) -> frozenset[str]:
        """An engine that has just started lists its torrents one after the other; what was deleted never comes."""
        now = self._clock()
        self._again_at = now + AGAIN_S if missing else 0.0
        if not missing:
            self._missing_since = None
            return missing
        self._missing_since = now if self._missing_since is None else self._missing_since
        return missing if now - self._missing_since >= GONE_S else frozenset()

    async def _noted(self) -> frozenset[str]:
        async with self._database.begin(NOBODY) as tx:
            return frozenset(await tx.scalars(select(StilledRow.torrent)))

    async def _note(self, tx: Tx, torrents: Collection[str]) -> bool:
        """Write down what is to run again; False when nothing stands still. Others who do this wait."""
        if await tx.get(PanicRow, _ONE, with_for_update=True) is None:
            return False
        known = set(await tx.scalars(_every().with_for_update()))
        tx.add_all(StilledRow(torrent=one) for one in sorted({*torrents} - known))
        return True

    async def _forget(self, done: frozenset[str]) -> None:
        """Unless everything was made to stand still anew meanwhile: whoever does that takes these for noted."""
        async with self._database.begin(NOBODY) as tx:
            await tx.scalars(_every().where(StilledRow.torrent.in_(done)).with_for_update())
            if await tx.get(PanicRow, _ONE) is None:
                await tx.execute(delete(StilledRow).where(StilledRow.torrent.in_(done)))


def _every() -> Select[str]:
    """Always in the same order: who locks them waits for others who do, and never both for each other."""
    return select(StilledRow.torrent).order_by(StilledRow.torrent)


def _may_run(stored: Stored | None, there: Torrent) -> bool:
    """Whether nobody wants it to stand still for another reason by now."""
    if stored is None:
        return True
    return bool(stored.claims) and not stored.stands_still and not _is_unchosen(stored, there)


def _is_unchosen(stored: Stored | None, there: Torrent) -> bool:
    """Whether it may run once its files are chosen: whoever does that just now may have asked for it before."""
    if stored is None or not stored.claims or stored.stands_still or stored.wanted is None:
        return False
    return not is_chosen(stored, there)


class Stillable(Relay):
    """The engine for whoever starts torrents: while everything stands still they start once it goes on."""

    def __init__(self, engine: Engine, panic: Panic) -> None:
        super().__init__(engine)
        self._panic = panic

    async def add(self, new: NewTorrent) -> None:
        """Add it, standing still if everything does."""
        if not new.stopped and await self._panic.keep([new.v1 or new.v2]):
            new = replace(new, stopped=True)
        await super().add(new)

    async def start(self, ids: Sequence[EngineId]) -> None:
        """Let them download or seed, now or later."""
        if ids and not await self._panic.keep(ids):
            await super().start(ids)
