"""Upkeep of disk and line: seeding that ends at its limits, the guard of the disk, orphans; admins are told.

The owner of the table `policies`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select

from uuutorrent import audit, config
from uuutorrent.accounts import Accounts, Admin, Operator, User, UserId, hold
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.automation.upkeep.meters import Meters
from uuutorrent.errors import Invalid, Refused
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.tables import PolicyRow
from uuutorrent.torrents.guard import Guarded
from uuutorrent.torrents.holdings import Stored, amount
from uuutorrent.torrents.library import Library

MOST_RATIO = 1000.0
MOST_MINUTES = 5_256_000
"""Ten years."""
ORPHANS_EVERY = timedelta(hours=1)
WAITING = "waiting"
"""The meter that is there while anything waits for the disk."""


@dataclass(frozen=True, slots=True)
class Limit:
    """When seeding ends, by whichever comes first; 0: no limit."""

    ratio: float = 0.0
    minutes: int = 0

    def is_reached(self, ratio: float, seeding_s: int) -> bool:
        """Whether somebody who wants this needs no more seeding."""
        return bool((self.ratio and ratio >= self.ratio) or (self.minutes and seeding_s >= self.minutes * 60))


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for a user's seeding."""

    limit: Limit
    is_own: bool
    """An admin settled it for them; else it is as configured."""


class Upkeep:
    """What is done about disk and line by itself."""

    def __init__(
        self,
        database: Database,
        library: Library,
        accounts: Accounts,
        inbox: Inbox,
        meters: Meters,
        settings: config.Upkeep,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._library = library
        self._accounts = accounts
        self._inbox = inbox
        self._meters = meters
        self._settings = settings
        self._now = now
        self.guarded: Guarded | None = None
        """What the guard saw last; None: it cannot tell."""

    # Policies

    @property
    def _default(self) -> Limit:
        return Limit(self._settings.seed_ratio, self._settings.seed_minutes)

    async def policy(self, by: Admin, name: str) -> Policy:
        """What holds for the seeding of the user of this name.

        Raises:
            Missing: there is no such user.
        """
        user = await self._accounts.by_name(name)
        limits = await self._limits({user.id})
        return Policy(limits.get(user.id, self._default), is_own=user.id in limits)

    async def settle(
        self,
        by: Admin,
        name: str,
        *,
        ratio: float | None = None,
        minutes: int | None = None,
        as_configured: bool = False,
    ) -> Policy:
        """Settle somebody's seeding; what is None stays. `as_configured` takes back what was settled before.

        Raises:
            Missing: there is no such user.
            Invalid: no seeding has such a limit.
            Refused: whoever asks is no admin any more.
        """
        if ratio is not None and not 0 <= ratio <= MOST_RATIO:
            raise Invalid(f"a ratio is between 0 (no limit) and {MOST_RATIO:.0f}", field="ratio")
        if minutes is not None and not 0 <= minutes <= MOST_MINUTES:
            raise Invalid(f"minutes are between 0 (no limit) and {MOST_MINUTES}", field="minutes")
        user = await self._accounts.by_name(name)
        async with self._database.begin(SYSTEM) as tx:
            if not (await hold(tx, by.user)).is_admin:
                raise Refused("only admins may do that")
            if as_configured:
                await tx.execute(delete(PolicyRow).where(PolicyRow.user_id == user.id))
            else:
                row = await tx.get(PolicyRow, user.id) or PolicyRow(user_id=user.id)
                row.seed_ratio = row.seed_ratio if ratio is None else ratio
                row.seed_minutes = row.seed_minutes if minutes is None else minutes
                tx.add(row)
            told = "as configured" if as_configured else f"ratio={ratio} minutes={minutes}"
            audit.note(tx, by, "policy", name, detail=told)
        return await self.policy(by, name)

    async def _limits(self, user_ids: Collection[UserId]) -> Mapping[UserId, Limit]:
        async with self._database.begin(SYSTEM) as tx:
            rows = await tx.scalars(select(PolicyRow).where(PolicyRow.user_id.in_(user_ids)))
            return {UserId(row.user_id): self._laid_over(row) for row in rows}

    def _laid_over(self, row: PolicyRow) -> Limit:
        usual = self._default
        return Limit(
            usual.ratio if row.seed_ratio is None else row.seed_ratio,
            usual.minutes if row.seed_minutes is None else row.seed_minutes,
        )

    # Jobs

    async def seed_once(self) -> None:
        """End the seeding of what all of its claimants have seeded enough.

        Raises:
            RemoteError: the engine does not answer.
        """
        running = await self._library.seeding.running()
        limits = await self._limits({claim.user_id for stored, _ in running for claim in stored.claims})
        for stored, there in running:
            every = [limits.get(claim.user_id, self._default) for claim in stored.claims]
            if all(limit.is_reached(there.ratio, there.seeding_s) for limit in every):
                await self._library.seeding.end(stored.id, self._now())

    async def guard_once(self) -> None:
        """Look at the disk, and tell admins when downloads begin to wait for it and when none does any more.

        Raises:
            RemoteError: the engine does not answer.
        """
        self.guarded = await self._library.guard.turn()
        if self.guarded is None:
            return
        began, waiting = await self._meters.read(WAITING), self.guarded.waiting
        if waiting and began is None:
            if await self._meters.write(WAITING, len(waiting), self._now(), before=None):
                await self._tell(_full(self.guarded), key=f"disk:full:{self._now():%Y-%m-%dT%H}")
        elif began is not None and not waiting:
            text = "There is room on the disk again: everything that waited goes on."
            await self._tell(text, key=f"disk:room:{began.at:%Y-%m-%dT%H}")
            await self._meters.drop(WAITING, began)

    async def orphans_once(self) -> None:
        """Look for orphans once an hour, and as soon as the disk and the engine can be asked.

        Raises:
            Unreachable: one of them went away at this moment.
        """
        last = self._library.orphans.last
        if self.guarded is not None and (last is None or self._now() - last.at >= ORPHANS_EVERY):
            await self._library.orphans.look()

    async def newcomers_once(self) -> None:
        """Tell admins who signed up and waits for a yes, each once."""
        for one in await self._accounts.users(Operator()):
            if one.awaits_approval:
                name = one.user.name
                text = f"{name} signed up and waits for a yes: `users approve {name}`, or `users reject {name}`."
                await self._tell(text, key=f"newcomer:{one.user.id}")

    async def _tell(self, text: str, *, key: str) -> None:
        for user in await self._admins():
            await self._inbox.tell(user.id, Kind.TROUBLE, text, key=key)

    async def _admins(self) -> tuple[User, ...]:
        every = await self._accounts.users(Operator())
        return tuple(one.user for one in every if one.user.is_admin and one.disabled_at is None)


def _full(guarded: Guarded) -> str:
    names = _named(guarded.waiting)
    free = amount(guarded.disk.free_bytes)
    return f"The disk is nearly full ({free} free): {names} for room. Delete something; `orphans` may help."


def _named(waiting: tuple[Stored, ...]) -> str:
    others = len(waiting) - 1
    return f"{waiting[0].name} and {others} more wait" if others else f"{waiting[0].name} waits"
