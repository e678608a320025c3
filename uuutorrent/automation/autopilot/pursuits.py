"""What the autopilot is after, and what is settled about each show: the owner of `pursuits` and `show_modes`.

A pursuit is written down before anything is done about it, and whoever works on one has it to themselves for a while,
so a kill at any point loses nothing and takes nothing twice. No network call is made from here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from uuutorrent.accounts import User, UserId, enabled, people
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.autopilot.flightplan import Begin
from uuutorrent.automation.autopilot.pursuit import AT_WORK, OPEN, Pursuit, Show, State
from uuutorrent.automation.preferences import Mode
from uuutorrent.errors import Missing, Refused
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.store.policies import Whose
from uuutorrent.store.tables import PursuitRow, ShowModeRow

LEASE = timedelta(minutes=5)
"""Longer than finding and adding takes; what a daemon was killed at is gone on with after this."""
SHOWN = 200
MOST_MODES = 500
"""Shows of one user that have a mode of their own."""
KEPT = timedelta(days=400)
"""How long it is remembered what became of an episode: nobody waits for it any more after that."""


class Pursuits:
    """The owner of the tables `pursuits` and `show_modes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Shows

    async def shows(self, user: User) -> Mapping[MediaId, Show]:
        """What is settled about this user's shows."""
        async with self._database.begin(user.id) as tx:
            rows = await tx.scalars(select(ShowModeRow).where(ShowModeRow.user_id == user.id))
            return {MediaId(row.media_id): _show(row) for row in rows}

    async def set_show(self, tx: Tx, user: User, media_id: MediaId, mode: Mode | None, default: Mode) -> None:
        """Settle what is done for a show. The user is held.

        One that was not followed till now is seen for the first time when it is seen again.

        Raises:
            Refused: they said something of too many shows.
        """
        row = await tx.get(ShowModeRow, (user.id, media_id))
        before = Show() if row is None else _show(row)
        first = None if (before.mode or default) is Mode.OFF else before.first_episode
        if mode is None and first is None:
            if row is not None:
                await tx.delete(row)
            return
        if mode is not None and before.mode is None:
            its = (ShowModeRow.user_id == user.id, ShowModeRow.mode != "")
            if (await tx.scalar(select(func.count()).where(*its)) or 0) >= MOST_MODES:
                raise Refused(
                    f"You have said it of {MOST_MODES} shows, which is all you may. Set some to default first."
                )
        await tx.merge(ShowModeRow(user_id=user.id, media_id=media_id, mode=mode or "", first_episode=first))

    async def see(self, tx: Tx, user: User, media_id: MediaId, first_episode: int | None) -> None:
        """From where on a show's episodes are taken by themselves. The user is held."""
        row = await tx.get(ShowModeRow, (user.id, media_id))
        if row is None:
            tx.add(ShowModeRow(user_id=user.id, media_id=media_id, mode="", first_episode=first_episode))
        else:
            row.first_episode = first_episode

    async def forget_first(self, tx: Tx, user: User) -> None:
        """The shows that have no mode of their own are seen for the first time when they are seen again."""
        its = (ShowModeRow.user_id == user.id, ShowModeRow.mode == "")
        await tx.execute(update(ShowModeRow).where(*its).values(first_episode=None))

    async def with_modes(self) -> frozenset[UserId]:
        """Who wants the autopilot for some show whatever they want for all."""
        theirs = select(ShowModeRow.user_id).where(ShowModeRow.mode.in_((Mode.ASK, Mode.ON)))
        async with self._database.begin(SYSTEM) as tx:
            return frozenset(UserId(one) for one in await tx.scalars(theirs.distinct()))

    async def people(self, ids: Collection[UserId]) -> Mapping[UserId, User]:
        """The users with these ids; who is gone or disabled is left out."""
        async with self._database.begin(SYSTEM) as tx:
            here = await tx.scalars(enabled())
            return await people(tx, set(ids) & {UserId(one) for one in here})

    # Pursuits

    async def of(self, user: User) -> tuple[Pursuit, ...]:
        """What the autopilot is after for this user, or was lately: the newest first."""
        mine = select(PursuitRow).where(PursuitRow.user_id == user.id).order_by(PursuitRow.id.desc()).limit(SHOWN)
        async with self._database.begin(user.id) as tx:
            return tuple(map(_pursuit, await tx.scalars(mine)))

    async def one(self, user: User, pursuit_id: int) -> Pursuit:
        """One of this user's.

        Raises:
            Missing: they have none with this number.
        """
        async with self._database.begin(user.id) as tx:
            row = await tx.get(PursuitRow, pursuit_id)
        if row is None or row.user_id != user.id:
            raise Missing("the autopilot has no such episode for you")
        return _pursuit(row)

    async def known(self, user: User) -> Mapping[MediaId, Mapping[int, Pursuit]]:
        """Everything the autopilot ever was after for this user, by show and episode."""
        async with self._database.begin(user.id) as tx:
            rows = await tx.scalars(select(PursuitRow).where(PursuitRow.user_id == user.id))
            found: dict[MediaId, dict[int, Pursuit]] = {}
            for row in rows:
                found.setdefault(MediaId(row.media_id), {})[row.episode] = _pursuit(row)
        return found

    async def due(self, now: datetime) -> tuple[Pursuit, ...]:
        """What is to be gone on with now, the oldest first; what was tried most comes last.

        So what always fails, and ends the turn with that, keeps nothing else from its turn.
        """
        due = await self._read(SYSTEM, PursuitRow.state.in_(AT_WORK), PursuitRow.try_at <= now)
        return tuple(sorted(due, key=lambda one: one.tries))

    async def awaited(self, now: datetime) -> tuple[Pursuit, ...]:
        """What has aired and was not found yet."""
        return await self._read(
            SYSTEM, PursuitRow.state == State.WANTED, PursuitRow.at <= now, PursuitRow.replaces == ""
        )

    async def took_since(self, since: datetime) -> bool:
        """Whether anything was taken for anybody since then."""
        taken = select(PursuitRow.id).where(PursuitRow.state == State.TAKEN, PursuitRow.at >= since).limit(1)
        async with self._database.begin(SYSTEM) as tx:
            return await tx.scalar(taken) is not None

    async def open_of(self, user: User) -> tuple[Pursuit, ...]:
        """What may still become moot."""
        return await self._read(user.id, PursuitRow.user_id == user.id, PursuitRow.state.in_(OPEN))

    async def begin_all(
        self, tx: Tx, user: User, media_id: MediaId, begun: Iterable[Begin], *, asked: bool = False
    ) -> None:
        """Be after these episodes from now on, if there was nothing about them before. The user is held."""
        known = {
            row.episode: row
            for row in await tx.scalars(
                select(PursuitRow).where(PursuitRow.user_id == user.id, PursuitRow.media_id == media_id)
            )
        }
        for one in begun:
            row = known.get(one.episode)
            if row is None:
                row = PursuitRow(user_id=user.id, media_id=media_id, episode=one.episode)
            elif not asked or row.state in (State.TAKING, State.TAKEN):
                continue
            row.state, row.why, row.tries, row.asked = State.WANTED, "", 0, asked
            row.at, row.try_at = one.at, one.try_at
            # What was known of an earlier try at it: there may be nothing any more that it is to replace.
            row.infohash = row.title = row.replaces = ""
            tx.add(row)

    async def begin_upgrade(
        self, user: User, media_id: MediaId, episode: int, replaces: str, infohash: str, title: str, now: datetime
    ) -> Pursuit | None:
        """Be after a later version of an episode that the user has; None where something is under way for it."""
        values = {"state": State.WANTED, "infohash": infohash, "title": title, "why": "", "tries": 0, "try_at": now}
        values |= {"at": now, "asked": False, "replaces": replaces}
        over = and_(PursuitRow.state.in_((State.TAKEN, State.MOOT)), PursuitRow.infohash != infohash)
        its = (PursuitRow.user_id == user.id, PursuitRow.media_id == media_id, PursuitRow.episode == episode)
        try:
            async with self._database.begin(user.id) as tx:
                row = await tx.scalar(update(PursuitRow).where(*its, over).values(values).returning(PursuitRow))
                if row is None:
                    row = PursuitRow(user_id=user.id, media_id=media_id, episode=episode, **values)
                    tx.add(row)
                    await tx.flush()
                await tx.refresh(row)
                return _pursuit(row)
        except IntegrityError:
            return None

    async def hurry(self, pursuit: Pursuit, now: datetime) -> None:
        """Go on with what is wanted now, if nobody moved it meanwhile."""
        its = (PursuitRow.id == pursuit.id, PursuitRow.state == State.WANTED, PursuitRow.try_at == pursuit.try_at)
        async with self._database.begin(pursuit.user_id) as tx:
            await tx.execute(update(PursuitRow).where(*its, PursuitRow.try_at > now).values(try_at=now))

    async def lease(self, pursuit: Pursuit, now: datetime) -> Pursuit | None:
        """Have a pursuit to oneself for a while; None when somebody else has it, or it is over."""
        mine = update(PursuitRow).where(PursuitRow.id == pursuit.id, PursuitRow.try_at == pursuit.try_at)
        mine = mine.where(PursuitRow.state.in_(AT_WORK)).values(try_at=now + LEASE, tries=PursuitRow.tries + 1)
        async with self._database.begin(pursuit.user_id) as tx:
            row = await tx.scalar(mine.returning(PursuitRow))
            if row is None:
                return None
            await tx.refresh(row)
            return _pursuit(row)

    async def move(
        self, pursuit: Pursuit, state: State, *, tx: Tx | None = None, among: Sequence[State] | None = None, **more: Any
    ) -> bool:
        """On to a state, if the pursuit is still in the one it was seen in (or in one of `among`).

        `more` are columns: `why`, `infohash`, `title`, `try_at`, `at`, `asked`, `replaces`.
        """
        were = (pursuit.state,) if among is None else among
        change = update(PursuitRow).where(PursuitRow.id == pursuit.id, PursuitRow.state.in_(were))
        change = change.values(state=state, **more).returning(PursuitRow.id)
        if tx is not None:
            return await tx.scalar(change) is not None
        async with self._database.begin(pursuit.user_id) as own:
            return await own.scalar(change) is not None

    async def forget(self, tx: Tx, pursuit: Pursuit) -> bool:
        """Be as if there had been no pursuit, if it is still in the state it was seen in."""
        gone = delete(PursuitRow).where(PursuitRow.id == pursuit.id, PursuitRow.state == pursuit.state)
        return await tx.scalar(gone.returning(PursuitRow.id)) is not None

    async def tidy(self, now: datetime) -> None:
        """Forget what nobody waits for any more."""
        old = (PursuitRow.at < now - KEPT, PursuitRow.state.not_in((*OPEN, State.TAKING)))
        async with self._database.begin(SYSTEM) as tx:
            await tx.execute(delete(PursuitRow).where(*old))

    async def _read(self, whose: int | Whose, *which: Any) -> tuple[Pursuit, ...]:
        """Of people who are here, in the order they were begun."""
        theirs = select(PursuitRow).where(*which, PursuitRow.user_id.in_(enabled())).order_by(PursuitRow.id)
        async with self._database.begin(whose) as tx:
            return tuple(map(_pursuit, await tx.scalars(theirs)))


def _show(row: ShowModeRow) -> Show:
    return Show(Mode(row.mode) if row.mode else None, row.first_episode)


def _pursuit(row: PursuitRow) -> Pursuit:
    return Pursuit(
        id=row.id,
        user_id=UserId(row.user_id),
        media_id=MediaId(row.media_id),
        episode=row.episode,
        state=State(row.state),
        infohash=row.infohash,
        title=row.title,
        why=row.why,
        tries=row.tries,
        try_at=row.try_at,
        at=row.at,
        asked=row.asked,
        replaces=row.replaces,
    )
