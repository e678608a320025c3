"""The audit: who did what to what, from where, and how it ended. Nothing in it is changed, or goes before 400 days.

`note` writes within the transaction of the act, so that act and note are both there or neither. What has no
transaction of its own goes through `Audit`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from sqlalchemy import delete, or_, select

from uuutorrent import people as stored
from uuutorrent.errors import Invalid, UuuError
from uuutorrent.store.appendonly import KEPT_DAYS
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.store.tables import AuditRow
from uuutorrent.users import Admin, Operator, User, UserId

Actor = Admin | Operator | User | None
"""Who did it; None: nobody who is in."""

OK, REFUSED, FAILED = "ok", "refused", "failed"
KEPT = timedelta(days=KEPT_DAYS + 1)
"""A day more than the database insists on, so that its clock and ours need not agree."""
MOST_A_MINUTE = 10
"""Notes of one kind of what can be done as often as one likes; the rest is counted in one."""
MINUTE_S = 60.0
MOST_WAITING = 1000
"""Notes that wait for a database that is away; what comes then is lost."""
LONGEST_WORD, LONGEST_TEXT = 64, 500
MOST_FOUND = 1000


Kind = tuple[str, str, UserId | None, str]
"""An act, its outcome, and who."""


class Values(TypedDict):
    """What is stored of one act."""

    at: datetime
    who_id: UserId | None
    who: str
    source: str
    act: str
    target: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class Note:
    """One act, as it was noted. Its text is of one line and holds nothing that a terminal would obey."""

    id: int
    at: datetime
    who: str
    """operator: the person at the machine; empty: nobody knows."""
    source: str
    """The address they came from; empty: the machine itself."""
    act: str
    target: str
    outcome: str
    """ok, refused or failed."""
    detail: str


def note(
    tx: Tx, by: Actor, act: str, target: str = "", *, outcome: str = OK, detail: str = "", source: str = ""
) -> None:
    """Note an act with what the transaction writes. `source` is where they are, if `by` does not say. No secrets."""
    tx.add(AuditRow(**_values(by, act, target, outcome, detail, source)))


class Audit:
    """The owner of the table `audit`."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[Values] = []
        self._counts: Counter[Kind] = Counter()
        """How often each kind of act was done in this minute."""
        self._since = clock()

    async def tell(self, by: Actor, act: str, target: str = "", *, outcome: str = OK, detail: str = "") -> None:
        """Note an act that has no transaction.

        Raises:
            Unreachable: the database does not answer.
        """
        async with self._database.begin(SYSTEM) as tx:
            note(tx, by, act, target, outcome=outcome, detail=detail)

    def later(
        self, by: Actor, act: str, target: str = "", *, outcome: str = OK, detail: str = "", source: str = ""
    ) -> None:
        """Note, at the next `write_once`, what can be done as often as one likes.

        Of each act, outcome and person so many a minute are noted, and the rest is counted in one note.
        """
        self._end_minute()
        values = _values(by, act, target, outcome, detail, source)
        kind = (values["act"], values["outcome"], values["who_id"], values["who"])
        self._counts[kind] += 1
        if self._counts[kind] <= MOST_A_MINUTE:
            self._keep(values)

    async def write_once(self) -> None:
        """Write down what waits.

        Raises:
            Unreachable: the database does not answer; it waits on.
        """
        self._end_minute()
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            async with self._database.begin(SYSTEM) as tx:
                tx.add_all(AuditRow(**values) for values in waiting)
        except UuuError:
            self._waiting = waiting + self._waiting
            raise

    async def search(
        self,
        by: Admin,
        text: str = "",
        *,
        user: str = "",
        since: datetime | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> tuple[Note, ...]:
        """What was noted, newest first: with `text` anywhere in it; `user` did it, or it was done to them.

        `before` is the id of the last note of the page before.

        Raises:
            Refused: `by` is no admin any more.
            Invalid: there is no such limit.
        """
        if not 1 <= limit <= MOST_FOUND:
            raise Invalid(f"a limit is between 1 and {MOST_FOUND}", field="limit")
        which = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if text := clean(text, LONGEST_TEXT):
            places = (AuditRow.who, AuditRow.source, AuditRow.act, AuditRow.target, AuditRow.outcome, AuditRow.detail)
            which = which.where(or_(*(place.icontains(text, autoescape=True) for place in places)))
        if user := clean(user, LONGEST_WORD):
            which = which.where(or_(AuditRow.who == user, AuditRow.target == user))
        if since is not None:
            which = which.where(AuditRow.at >= since)
        if before is not None:
            which = which.where(AuditRow.id < before)
        async with self._database.begin(SYSTEM) as tx:
            await stored.authorise(tx, by)
            return tuple(map(_note, await tx.scalars(which)))

    async def drop_once(self) -> None:
        """Drop what is older than anybody has to keep it."""
        async with self._database.begin(SYSTEM) as tx:
            await tx.execute(delete(AuditRow).where(AuditRow.at < datetime.now(UTC) - KEPT))

    def _keep(self, values: Values) -> None:
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(values)

    def _end_minute(self) -> None:
        """Once the minute is over, note how many more there were than were noted."""
        if self._clock() - self._since < MINUTE_S:
            return
        for (act, outcome, who_id, who), count in self._counts.items():
            if (more := count - MOST_A_MINUTE) > 0:
                detail = f"{more} more within a minute"
                values = Values(
                    at=datetime.now(UTC), who_id=who_id, who=who, source="", act=act, target="", outcome=outcome,
                    detail=detail,
                )  # fmt: skip
                self._keep(values)
        self._counts, self._since = Counter(), self._clock()


def clean(text: str, longest: int) -> str:
    """Text of one line, cut short, with nothing in it that a terminal would obey or a database refuse."""
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return "".join(one if one.isprintable() else "?" for one in cut)


def _values(by: Actor, act: str, target: str, outcome: str, detail: str, source: str) -> Values:
    who_id, who, place = _who(by)
    return Values(
        at=datetime.now(UTC),
        who_id=who_id,
        who=clean(who, LONGEST_WORD),
        source=clean(source or place, LONGEST_WORD),
        act=clean(act, LONGEST_WORD),
        target=clean(target, LONGEST_TEXT),
        outcome=outcome,
        detail=clean(detail, LONGEST_TEXT),
    )


def _who(by: Actor) -> tuple[UserId | None, str, str]:
    match by:
        case Admin(user=user) | (User() as user):
            return user.id, user.name, user.ip
        case Operator():
            return None, "operator", ""
        case None:
            return None, "", ""


def _note(row: AuditRow) -> Note:
    return Note(row.id, row.at, row.who, row.source, row.act, row.target, row.outcome, row.detail)
