"""What happened to people's downloads, line by line: the owner of the table `timeline`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, delete, or_, select, update

from uuutorrent.accounts import User, UserId
from uuutorrent.errors import Missing
from uuutorrent.store.database import Database, Tx
from uuutorrent.store.tables import TimelineRow
from uuutorrent.torrents.holdings import Holding

UNDO_FOR = timedelta(days=1)
"""For so long a line can be undone."""
KEPT = timedelta(days=400)
MOST = 200
"""Lines of one holding that are shown: the last ones."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened to a holding."""

    id: int
    infohash: str
    media_id: int | None
    episode: int | None
    step: str
    text: str
    at: datetime
    block_id: int | None
    replacement_id: int | None
    undone_at: datetime | None

    @property
    def can_be_undone(self) -> bool:
        """It says of a block or a replacement, and that was not undone; see `until` for how long."""
        return self.undone_at is None and (self.block_id is not None or self.replacement_id is not None)

    @property
    def until(self) -> datetime:
        """When it cannot be undone any more."""
        return self.at + UNDO_FOR


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Timeline:
    """Everybody's lines."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._database = database
        self._now = now

    async def note(
        self,
        user_id: UserId,
        infohash: str,
        step: str,
        text: str,
        *,
        media_id: int | None = None,
        episode: int | None = None,
        block_id: int | None = None,
        replacement_id: int | None = None,
        tx: Tx | None = None,
    ) -> int:
        """Write a line; with `tx` inside that transaction. The number of the line."""
        row = TimelineRow(
            user_id=user_id, infohash=infohash, media_id=media_id, episode=episode, step=step, text=text,
            block_id=block_id, replacement_id=replacement_id, at=self._now(),
        )  # fmt: skip
        async with self._database.begin(user_id) if tx is None else nullcontext(tx) as its:
            await its.execute(
                delete(TimelineRow).where(TimelineRow.user_id == user_id, TimelineRow.at < self._now() - KEPT)
            )
            its.add(row)
            await its.flush()
            return row.id

    async def of(self, user: User, infohash: str) -> tuple[Line, ...]:
        """The life of what this user holds or held under a hash, the oldest line first.

        Lines of the torrents that it replaced, or that replaced it, belong to it: they are for the same episode.
        """
        mine = TimelineRow.user_id == user.id
        async with self._database.begin(user.id) as tx:
            subjects = select(TimelineRow.media_id, TimelineRow.episode).where(mine, TimelineRow.infohash == infohash)
            known = (await tx.execute(subjects.where(TimelineRow.episode.is_not(None)).distinct())).all()
            same = [and_(TimelineRow.media_id == media, TimelineRow.episode == episode) for media, episode in known]
            about = or_(TimelineRow.infohash == infohash, *same)
            rows = await tx.scalars(select(TimelineRow).where(mine, about).order_by(TimelineRow.id.desc()).limit(MOST))
            return tuple(reversed([_line(row) for row in rows]))

    async def one(self, user: User, line_id: int) -> Line:
        """One of this user's lines.

        Raises:
            Missing: they have none with this number.
        """
        async with self._database.begin(user.id) as tx:
            row = await tx.get(TimelineRow, line_id)
        if row is None or row.user_id != user.id:
            raise Missing("You have no such line in a timeline.")
        return _line(row)

    async def fell_through(self, tx: Tx, replacement_id: int) -> None:
        """A replacement did not come about, so there is nothing to undo; inside the caller's transaction."""
        its = update(TimelineRow).where(TimelineRow.replacement_id == replacement_id)
        await tx.execute(its.values(replacement_id=None))

    async def undid(self, tx: Tx, line_id: int) -> bool:
        """Note that a line was undone, inside the caller's transaction; False when it was before."""
        open_line = (TimelineRow.id == line_id, TimelineRow.undone_at.is_(None))
        done = update(TimelineRow).where(*open_line).values(undone_at=self._now()).returning(TimelineRow.id)
        return await tx.scalar(done) is not None


def with_holding(lines: Sequence[Line], held: Holding | None) -> tuple[Line, ...]:
    """The lines with what a holding itself tells: when it was added, and when it was complete."""
    if held is None:
        return tuple(lines)
    told = {line.step for line in lines if line.infohash == held.infohash}
    own = [("added", "Added.", held.added_at), ("complete", "Complete.", held.completed_at)]
    more = [
        Line(0, held.infohash, held.media_id, held.episode, step, text, at, None, None, None)
        for step, text, at in own
        if at is not None and step not in told
    ]
    return tuple(sorted((*lines, *more), key=lambda line: (line.at, line.id)))


def _line(row: TimelineRow) -> Line:
    return Line(
        id=row.id, infohash=row.infohash, media_id=row.media_id, episode=row.episode, step=row.step, text=row.text,
        at=row.at, block_id=row.block_id, replacement_id=row.replacement_id, undone_at=row.undone_at,
    )  # fmt: skip
