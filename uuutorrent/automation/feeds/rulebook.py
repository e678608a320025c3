"""Feed rules as they are kept, the feeds they follow, and who polls a feed just now. No network call is made here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import case, delete, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from uuutorrent.accounts import Admin, User, UserId, enabled, hold, people
from uuutorrent.automation.feeds.errands import Errands
from uuutorrent.automation.feeds.item import Item
from uuutorrent.automation.feeds.rule import Errand, Failing, Feed, Owned, Rule, Saving, Taking, Terms, check, shown
from uuutorrent.errors import Invalid, Missing, Refused
from uuutorrent.store import onlooking
from uuutorrent.store.database import NOBODY, SYSTEM, Database, Tx, as_system
from uuutorrent.store.sealed import KeyRing
from uuutorrent.store.tables import FeedRow, RuleRow

MOST_RULES = 200
"""A person may keep."""
LEASE = timedelta(seconds=30)
"""Longer than a poll takes; a daemon that was killed while it polled is replaced after this."""
SOON = timedelta(minutes=1)
"""A feed that was read this recently is not read again because of a new rule."""
DAY = timedelta(days=1)
MOST_FAILING = 500

T = TypeVar("T", Terms, Saving)


class Rulebook:
    """The owner of the tables `feeds` and `rules`; `errands` owns what rules took."""

    def __init__(self, database: Database, keyring: KeyRing) -> None:
        self._database = database
        self._keyring = keyring
        self.errands = Errands(database, keyring)

    # For people

    async def add(self, user: User, url: str, terms: Terms, saving: Saving, now: datetime) -> Rule:
        """Keep a rule.

        Raises:
            Invalid: it cannot be kept like this; `field` names what is wrong.
            Refused: the user has too many rules, or is gone or disabled.
        """
        check(terms, saving)
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            number = await tx.scalar(select(func.count()).where(RuleRow.user_id == user.id))
            if (number or 0) >= MOST_RULES:
                raise Refused(f"You have {number} feed rules, which is all you may have. Remove one first.")
            row = RuleRow(user_id=user.id, feed_id=await self._feed_id(tx, url, now), terms=asdict(terms))
            row.saving, row.is_enabled, row.made_at = asdict(saving), True, now
            tx.add(row)
            await tx.flush()
            (rule,) = await self._rules(tx, [row])
            return rule

    async def rules(self, user: User) -> tuple[Rule, ...]:
        """This user's rules, the oldest first."""
        async with self._database.begin(user.id) as tx:
            rows = await tx.scalars(select(RuleRow).where(RuleRow.user_id == user.id).order_by(RuleRow.id))
            return await self._rules(tx, rows.all())

    async def one(self, user: User, rule_id: int) -> Rule:
        """One of this user's rules.

        Raises:
            Missing: there is none with this number; other people's look the same.
        """
        async with self._database.begin(user.id) as tx:
            (rule,) = await self._rules(tx, [await _mine(tx, user, rule_id)])
            return rule

    async def change(
        self,
        user: User,
        rule_id: int,
        *,
        now: datetime,
        url: str | None = None,
        terms: Terms | None = None,
        saving: Saving | None = None,
    ) -> Rule:
        """Change what is given.

        Raises:
            Missing: this user has no such rule.
            Invalid: it cannot be kept like this; `field` names what is wrong.
        """
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            row = await _mine(tx, user, rule_id)
            check(terms or _read(Terms, row.terms), saving or _read(Saving, row.saving))
            row.terms = asdict(terms) if terms else row.terms
            row.saving = asdict(saving) if saving else row.saving
            before = row.feed_id
            row.feed_id, row.error = row.feed_id if url is None else await self._feed_id(tx, url, now), ""
            await tx.flush()
            await _whole_again(tx, row.feed_id)
            await _drop_unused(tx, before)
            (rule,) = await self._rules(tx, [row])
            return rule

    async def set_enabled(self, user: User, rule_id: int, *, on: bool) -> Rule:
        """Let a rule take things, or not.

        Raises:
            Missing: this user has no such rule.
        """
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            row = await _mine(tx, user, rule_id)
            row.is_enabled = on
            await tx.flush()
            await _whole_again(tx, row.feed_id)
            (rule,) = await self._rules(tx, [row])
            return rule

    async def remove(self, user: User, rule_id: int) -> None:
        """Forget a rule. What it took stays, and is not taken again by another.

        Raises:
            Missing: this user has no such rule.
        """
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            row = await _mine(tx, user, rule_id)
            await self.errands.drop(tx, row.id)
            await tx.delete(row)
            await tx.flush()
            await _drop_unused(tx, row.feed_id)

    async def takings(self, user: User, rule_id: int | None = None) -> tuple[Taking, ...]:
        """What this user's rules took lately, the newest first; of one rule, if it is named."""
        return await self.errands.lately(user, rule_id)

    # For whoever polls

    async def due(self, now: datetime, *, user: User | None = None) -> tuple[Feed, ...]:
        """The feeds whose time has come; `user`: those of this user's rules, whether it has or not."""
        mine = RuleRow.user_id.in_(enabled()) if user is None else RuleRow.user_id == user.id
        time_has_come = [FeedRow.next_at <= now] if user is None else []
        async with self._database.begin(SYSTEM if user is None else user.id) as tx:
            followed = exists().where(RuleRow.feed_id == FeedRow.id, RuleRow.is_enabled, mine)
            rows = await tx.scalars(select(FeedRow).where(followed, *time_has_come).order_by(FeedRow.next_at))
            found = []
            for row in rows.all():
                try:
                    url = self._url(row)
                except Invalid as e:
                    row.error, row.next_at = f"Give its address anew: {e.message}", now + DAY
                else:
                    found.append(Feed(row.id, url, row.etag, row.modified, row.failures, row.next_at))
            return tuple(found)

    async def failing(self, by: Admin) -> tuple[Failing, ...]:
        """Feeds that did not answer when they were last asked and that somebody follows, the longest first."""
        followed = exists().where(RuleRow.feed_id == FeedRow.id, RuleRow.is_enabled)
        which = select(FeedRow).where(FeedRow.failures > 0, followed).order_by(FeedRow.failures.desc(), FeedRow.id)
        async with self._database.begin(SYSTEM) as tx:
            rows = (await tx.scalars(which.limit(MOST_FAILING))).all()
        return tuple(Failing(row.id, self._shown(row), row.error, row.failures, row.polled_at) for row in rows)

    async def tidy(self) -> None:
        """Forget feeds that no rule follows any more because their users are gone."""
        async with self._database.begin(SYSTEM) as tx:
            unused = select(FeedRow.id).where(~exists().where(RuleRow.feed_id == FeedRow.id))
            for feed_id in (await tx.scalars(unused)).all():
                await _drop_unused(tx, feed_id)

    async def lease(self, feed: Feed, now: datetime) -> bool:
        """Have a feed to oneself until its poll is noted, or until `LEASE` is over; False when somebody was quicker."""
        free = or_(FeedRow.leased_until.is_(None), FeedRow.leased_until <= now)
        async with self._database.begin(NOBODY) as tx:
            leased = await tx.scalar(
                update(FeedRow)
                .where(FeedRow.id == feed.id, FeedRow.next_at == feed.next_at, free)
                .values(leased_until=now + LEASE)
                .returning(FeedRow.id)
            )
        return leased is not None

    async def followers(self, feed_id: int) -> tuple[Owned, ...]:
        """The enabled rules of a feed with their owners, the oldest rule first."""
        async with self._database.begin(SYSTEM) as tx:
            rows = (
                await tx.scalars(
                    select(RuleRow).where(RuleRow.feed_id == feed_id, RuleRow.is_enabled).order_by(RuleRow.id)
                )
            ).all()
            owners = await people(tx, {UserId(row.user_id) for row in rows})
            return tuple(
                Owned(owners[UserId(row.user_id)], _bare(row)) for row in rows if UserId(row.user_id) in owners
            )

    async def say(self, owned: Owned, error: str) -> None:
        """Why a rule could say nothing to what its feed holds; empty: it could."""
        changed = update(RuleRow).where(RuleRow.id == owned.rule.id, RuleRow.error != error)
        async with self._database.begin(owned.user.id) as tx:
            await tx.execute(changed.values(error=error))

    async def note(self, owned: Owned, wanted: Sequence[tuple[Item, int | None]], now: datetime) -> int:
        """Note down items (each with its episode, if known) that a rule wants; how many must wait for another day.

        What is noted already, for this or another rule of the user, is left as it is.
        """
        user = owned.user
        async with self._database.begin(user.id) as tx:
            try:
                await hold(tx, user)
            except Refused:
                return 0
            if (row := await tx.get(RuleRow, owned.rule.id)) is None or not row.is_enabled:
                return 0
            return await self.errands.note(tx, Owned(user, _bare(row)), wanted, now)

    async def waiting(self, now: datetime, feed_id: int | None = None) -> tuple[Errand, ...]:
        """What is noted, still to be taken, and not to be left alone for a while; the oldest first."""
        which = [RuleRow.feed_id == feed_id] if feed_id is not None else []
        async with self._database.begin(SYSTEM) as tx:
            if not (ids := await self.errands.due(tx, now)):
                return ()
            at_work = (RuleRow.id.in_(ids), RuleRow.is_enabled, RuleRow.user_id.in_(enabled()))
            rows = (await tx.scalars(select(RuleRow).where(*at_work, *which))).all()
            owners = await people(tx, {UserId(row.user_id) for row in rows})
            mine = {row.id: Owned(owners[UserId(row.user_id)], _bare(row)) for row in rows}
            return await self.errands.of(tx, mine, now)

    async def polled(self, feed: Feed, now: datetime, next_at: datetime, *, etag: str, modified: str) -> None:
        """A feed answered."""
        await self._release(feed, next_at=next_at, polled_at=now, etag=etag, modified=modified, failures=0, error="")

    async def failed(self, feed: Feed, error: str, next_at: datetime) -> None:
        """A feed did not answer, or not with a feed."""
        await self._release(feed, next_at=next_at, failures=FeedRow.failures + 1, error=error)

    async def _release(self, feed: Feed, **values: Any) -> None:
        async with self._database.begin(NOBODY) as tx:
            await tx.execute(update(FeedRow).where(FeedRow.id == feed.id).values(leased_until=None, **values))

    async def _feed_id(self, tx: Tx, url: str, now: datetime) -> int:
        """The feed with this address; made when nobody follows it yet. A new rule wants to see all of it, soon."""
        digest = _digest(url)
        soon = case((FeedRow.polled_at > now - SOON, FeedRow.next_at), else_=now)
        # Sealed anew: the key that sealed it before may be gone.
        sealed = self._keyring.seal(url, place=f"feeds:url:{digest}")
        again = update(FeedRow).where(FeedRow.digest == digest)
        again = again.values(sealed_url=sealed, etag="", modified="", next_at=soon)
        found: int | None = await tx.scalar(again.returning(FeedRow.id))
        if found is not None:
            return found
        row = FeedRow(digest=digest, sealed_url=sealed)
        row.etag, row.modified, row.error, row.failures, row.next_at = "", "", "", 0, now
        try:
            async with tx.begin_nested():
                tx.add(row)
        except IntegrityError:
            # Somebody else began to follow it since the look above.
            return (await tx.scalars(select(FeedRow.id).where(FeedRow.digest == digest))).one()
        return row.id

    async def _rules(self, tx: Tx, rows: Sequence[RuleRow]) -> tuple[Rule, ...]:
        """Rules with what is known of their feeds and of what they took; a handful of statements, however many."""
        ids = [row.id for row in rows]
        found = await tx.scalars(select(FeedRow).where(FeedRow.id.in_({row.feed_id for row in rows})))
        feeds = {feed.id: feed for feed in found}
        taken, last = await self.errands.did(tx, ids)
        return tuple(self._rule(row, feeds[row.feed_id], taken.get(row.id, 0), last.get(row.id)) for row in rows)

    def _rule(self, row: RuleRow, feed: FeedRow, taken: int, last: Taking | None) -> Rule:
        error = feed.error or row.error
        try:
            # What is secret in an address, such as a passkey, is for nobody else's eyes.
            url = shown(self._url(feed)) if onlooking.is_looking() else self._url(feed)
        except Invalid as e:
            url, error = "", f"Give its address anew: {e.message}"
        next_at = feed.next_at if row.is_enabled else None
        terms, saving = _read(Terms, row.terms), _read(Saving, row.saving)
        return Rule(row.id, url, terms, saving, row.is_enabled, feed.polled_at, error, next_at, taken, last)

    def _shown(self, row: FeedRow) -> str:
        try:
            return shown(self._url(row))
        except Invalid:
            return "an address that cannot be read any more"

    def _url(self, row: FeedRow) -> str:
        return self._keyring.unseal(row.sealed_url, place=f"feeds:url:{row.digest}")


async def _whole_again(tx: Tx, feed_id: int) -> None:
    """Have a feed send all it holds at its next poll, also what it sent before."""
    await tx.execute(update(FeedRow).where(FeedRow.id == feed_id).values(etag="", modified=""))


async def _mine(tx: Tx, user: User, rule_id: int) -> RuleRow:
    row = await tx.get(RuleRow, rule_id)
    if row is None or row.user_id != user.id:
        raise Missing("You have no such feed rule.")
    return row


async def _drop_unused(tx: Tx, feed_id: int) -> None:
    """Forget a feed that no rule follows any more."""
    # Locked first: a rule that somebody makes for it meanwhile is seen by the next statement, and by no earlier one.
    await tx.execute(select(FeedRow.id).where(FeedRow.id == feed_id).with_for_update())
    used = exists().where(RuleRow.feed_id == feed_id)
    async with as_system(tx):  # other people's rules may follow it
        await tx.execute(delete(FeedRow).where(FeedRow.id == feed_id, ~used))


def _bare(row: RuleRow) -> Rule:
    """What a rule wants, without what it did and without its feed's address."""
    terms, saving = _read(Terms, row.terms), _read(Saving, row.saving)
    return Rule(row.id, "", terms, saving, row.is_enabled, error=row.error)


def _read(kind: type[T], stored: dict[str, Any]) -> T:
    """What is stored; what this version does not know is left alone."""
    known = {one.name for one in fields(kind)}
    kept: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items() if name in known
    }
    return kind(**kept)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
