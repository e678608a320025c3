"""What feed rules took, and what they are still to take.

An item that fitted is noted down before anything is done about it, so a kill at any point loses nothing and takes
nothing twice. No network call is made from here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, or_, select, update

from uuutorrent.accounts import User, UserId
from uuutorrent.automation.feeds.item import Item
from uuutorrent.automation.feeds.rule import Errand, Outcome, Owned, Rule, Taking
from uuutorrent.errors import Invalid
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.store.sealed import KeyRing
from uuutorrent.store.tables import TakingRow

LEASE = timedelta(seconds=30)
"""Longer than a download of a .torrent takes; what a daemon was killed at is tried again after this."""
SHOWN = 50
DAY = timedelta(days=1)
KEPT = timedelta(days=400)
"""How long it is remembered that an item was taken: hardly a feed shows it any more after that."""


class Errands:
    """The owner of the table `takings`."""

    def __init__(self, database: Database, keyring: KeyRing) -> None:
        self._database = database
        self._keyring = keyring

    async def lately(self, user: User, rule_id: int | None = None) -> tuple[Taking, ...]:
        """What this user's rules took lately, the newest first; of one rule, if it is named."""
        which = [TakingRow.user_id == user.id, *([TakingRow.rule_id == rule_id] if rule_id is not None else [])]
        async with self._database.begin(user.id) as tx:
            rows = await tx.scalars(select(TakingRow).where(*which).order_by(TakingRow.id.desc()).limit(SHOWN))
            return tuple(map(_taking, rows))

    async def news(self, since: datetime) -> tuple[tuple[UserId, int, Taking], ...]:
        """What everybody's rules took or gave up after this moment: whose it is, its number, what became of it."""
        over = TakingRow.outcome.in_((Outcome.TAKEN, Outcome.FAILED))
        async with self._database.begin(SYSTEM) as tx:
            # Who tries moves `try_at` on first, so it is about when it was settled.
            rows = await tx.scalars(select(TakingRow).where(over, TakingRow.try_at > since))
            return tuple((UserId(row.user_id), row.id, _taking(row)) for row in rows)

    async def did(self, tx: Tx, ids: Collection[int]) -> tuple[Mapping[int, int], Mapping[int, Taking]]:
        """For rules by their numbers: how much each took, and what it did last."""
        its = select(TakingRow.rule_id, func.count()).where(TakingRow.rule_id.in_(ids))
        counted = await tx.execute(its.where(TakingRow.outcome == Outcome.TAKEN).group_by(TakingRow.rule_id))
        taken = {rule_id: number for rule_id, number in counted if rule_id is not None}
        newest = select(func.max(TakingRow.id)).where(TakingRow.rule_id.in_(ids)).group_by(TakingRow.rule_id)
        last = await tx.scalars(select(TakingRow).where(TakingRow.id.in_(newest)))
        return taken, {row.rule_id: _taking(row) for row in last if row.rule_id is not None}

    async def known(self, user: User, rule: Rule, items: Collection[Item]) -> frozenset[str]:
        """The keys of those items that were noted for this user already."""
        async with self._database.begin(user.id) as tx:
            return await _known(tx, user, rule.id, items)

    async def note(self, tx: Tx, owned: Owned, wanted: Sequence[tuple[Item, int | None]], now: datetime) -> int:
        """Note down items that a rule wants, as many as it may in a day; how many must wait. The user is held."""
        user, rule = owned.user, owned.rule
        today = await tx.scalar(select(func.count()).where(TakingRow.rule_id == rule.id, TakingRow.at > now - DAY))
        known = await _known(tx, user, rule.id, [item for item, _ in wanted])
        have = await _episodes(tx, user, rule.saving.media_id)
        fresh = [(item, episode) for item, episode in wanted if item.key not in known and episode not in have]
        room = max(0, rule.saving.daily - (today or 0))
        tx.add_all([self._noted(owned, item, episode, now) for item, episode in fresh[:room]])
        old = (TakingRow.user_id == user.id, TakingRow.at < now - KEPT, TakingRow.outcome != Outcome.WANTED)
        await tx.execute(delete(TakingRow).where(*old))
        return len(fresh[room:])

    async def drop(self, tx: Tx, rule_id: int) -> None:
        """Take nothing more for a rule."""
        await tx.execute(delete(TakingRow).where(TakingRow.rule_id == rule_id, TakingRow.outcome == Outcome.WANTED))

    async def due(self, tx: Tx, now: datetime) -> Collection[int]:
        """The numbers of the rules that something is to be taken for."""
        waiting = (TakingRow.outcome == Outcome.WANTED, TakingRow.try_at <= now, TakingRow.rule_id.is_not(None))
        ids = await tx.scalars(select(TakingRow.rule_id).where(*waiting).distinct())
        return frozenset(one for one in ids if one is not None)

    async def of(self, tx: Tx, rules: Mapping[int, Owned], now: datetime) -> tuple[Errand, ...]:
        """What is to be taken for these rules now, the oldest first."""
        waiting = (TakingRow.outcome == Outcome.WANTED, TakingRow.try_at <= now, TakingRow.rule_id.in_(rules))
        rows = (await tx.scalars(select(TakingRow).where(*waiting).order_by(TakingRow.id))).all()
        every = [self._errand(rules[row.rule_id], row) for row in rows if row.rule_id is not None]
        return tuple(one for one in every if one is not None)

    async def begin(self, errand: Errand, now: datetime) -> bool:
        """Have an errand to oneself for a while; False when somebody else has it, or it is over."""
        async with self._database.begin(errand.user.id) as tx:
            taken = await tx.scalar(
                update(TakingRow)
                .where(TakingRow.id == errand.id, TakingRow.outcome == Outcome.WANTED)
                .where(TakingRow.try_at == errand.try_at)
                .values(try_at=now + LEASE)
                .returning(TakingRow.id)
            )
        return taken is not None

    async def was_taken(self, errand: Errand, hashes: Iterable[str | None]) -> bool:
        """Whether one of this user's rules took the torrent with one of these hashes before."""
        other = (TakingRow.user_id == errand.user.id, TakingRow.id != errand.id, TakingRow.outcome == Outcome.TAKEN)
        async with self._database.begin(errand.user.id) as tx:
            found = select(TakingRow.id).where(*other, TakingRow.infohash.in_([one for one in hashes if one]))
            return await tx.scalar(found.limit(1)) is not None

    async def settle(self, errand: Errand, outcome: Outcome, why: str, *, infohash: str = "") -> None:
        """What became of an errand."""
        values = {"outcome": outcome, "why": why, "tries": TakingRow.tries + 1}
        async with self._database.begin(errand.user.id) as tx:
            await tx.execute(
                update(TakingRow)
                .where(TakingRow.id == errand.id, TakingRow.outcome == Outcome.WANTED)
                .values(values | ({"infohash": infohash} if infohash else {}))
            )

    async def put_off(self, errand: Errand, why: str, until: datetime) -> None:
        """Try an errand again later."""
        async with self._database.begin(errand.user.id) as tx:
            await tx.execute(
                update(TakingRow)
                .where(TakingRow.id == errand.id, TakingRow.outcome == Outcome.WANTED)
                .values(why=why, tries=TakingRow.tries + 1, try_at=until)
            )

    def _errand(self, owned: Owned, row: TakingRow) -> Errand | None:
        try:
            link = self._keyring.unseal(row.sealed_link, place=f"takings:link:{owned.user.id}")
        except Invalid as e:
            row.outcome, row.why = Outcome.FAILED, e.message
            return None
        return Errand(row.id, owned.user, owned.rule, link, row.title, row.episode, row.tries, row.try_at)

    def _noted(self, owned: Owned, item: Item, episode: int | None, now: datetime) -> TakingRow:
        sealed = self._keyring.seal(item.link, place=f"takings:link:{owned.user.id}")
        return TakingRow(
            user_id=owned.user.id, rule_id=owned.rule.id, item=_digest(item.key), title=item.title, sealed_link=sealed,
            infohash=item.infohash, media_id=owned.rule.saving.media_id, episode=episode,
            outcome=Outcome.WANTED, why="", tries=0, try_at=now, at=now,
        )  # fmt: skip


async def _known(tx: Tx, user: User, rule_id: int, items: Collection[Item]) -> frozenset[str]:
    """The keys of those items that were noted before: by key, by hash, or (without a hash) by title for the same rule.

    The title, because some feeds give each item a new id at every answer.
    """
    digests = {_digest(item.key) for item in items}
    hashes = {item.infohash for item in items if item.infohash}
    titles = {item.title for item in items if not item.infohash}
    same = or_(
        TakingRow.item.in_(digests),
        TakingRow.infohash.in_(hashes),
        and_(TakingRow.rule_id == rule_id, TakingRow.title.in_(titles)),
    )
    which = (TakingRow.item, TakingRow.infohash, TakingRow.title, TakingRow.rule_id)
    rows = (await tx.execute(select(*which).where(TakingRow.user_id == user.id, same))).all()
    digests, hashes = {row.item for row in rows}, {row.infohash for row in rows if row.infohash}
    titles = {row.title for row in rows if row.rule_id == rule_id}
    return frozenset(
        item.key
        for item in items
        if _digest(item.key) in digests or (item.infohash in hashes if item.infohash else item.title in titles)
    )


async def _episodes(tx: Tx, user: User, media_id: int | None) -> frozenset[int]:
    """The episodes of a show that rules of this user took, or are about to."""
    if media_id is None:
        return frozenset()
    wanted = TakingRow.outcome.in_((Outcome.WANTED, Outcome.TAKEN))
    rows = await tx.scalars(
        select(TakingRow.episode).where(TakingRow.user_id == user.id, TakingRow.media_id == media_id, wanted)
    )
    return frozenset(episode for episode in rows if episode is not None)


def _taking(row: TakingRow) -> Taking:
    return Taking(row.rule_id, row.title, row.infohash, Outcome(row.outcome), row.why, row.at)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
