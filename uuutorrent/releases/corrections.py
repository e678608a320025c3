"""What people said about an anime's releases: theirs first, then offered to the others, and nobody's name with it.

A correction is kept as long as somebody accepts it, or an admin said that it counts for everybody. The owner of the
tables `corrections` and `correction_answers`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from uuutorrent import audit
from uuutorrent.accounts import Admin, User, UserId, hold, people
from uuutorrent.anime.anime import Anime, MediaId
from uuutorrent.anime.answers import clean
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.errors import Conflict, Invalid, Missing, Refused
from uuutorrent.releases.release import Correction, Form, Offer
from uuutorrent.store.database import SYSTEM, Database, Tx, as_system
from uuutorrent.store.tables import CorrectionAnswerRow, CorrectionRow

MOST = 500
"""How many corrections one person may hold."""
MOST_OFFERED = 20
"""Of one anime at a time: nobody can fill the others' screens."""
MOST_EPISODES = 10_000
MOST_OFFSET = 5000
LONGEST_TITLE = 255
LONGEST_NAME = 512
"""Characters that are kept of a release's name."""
ATTEMPTS = 5
_INFOHASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MISSING = "there is no such correction"

_ANYBODYS = aliased(CorrectionAnswerRow)
_IS_HELD = or_(
    CorrectionRow.is_for_all,
    exists().where(_ANYBODYS.correction_id == CorrectionRow.id, _ANYBODYS.is_accepted),
)
"""Somebody stands by it: whose author is gone is nobody's."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A correction as admins see it."""

    offer: Offer
    accepted_by: tuple[str, ...]
    """Who accepts it; whoever said it first comes first."""
    declined: int
    made_at: datetime


class Corrections:
    """What people said, and who accepts it."""

    def __init__(self, database: Database, watchlists: Watchlists) -> None:
        self._database = database
        self._watchlists = watchlists

    async def lore_of(self, user: User, media_id: MediaId) -> tuple[Correction, ...]:
        """What counts for this user: what they accept, and what counts for everybody, unless they say otherwise."""
        async with self._database.begin(user.id) as tx:
            standing = await _standing(tx, user, CorrectionRow.media_id == media_id)
        own = tuple(_said(row) for row, accepted in standing if accepted)
        common = (_said(row) for row, accepted in standing if accepted is None and row.is_for_all)
        return own + tuple(one for one in common if not any(_contradict(one, other) for other in own))

    async def mine(self, user: User, media_id: MediaId | None = None) -> tuple[Offer, ...]:
        """What this user accepts, of one anime or of all, oldest first."""
        which = CorrectionAnswerRow.is_accepted.is_(True)
        async with self._database.begin(user.id) as tx:
            standing = await _standing(tx, user, which if media_id is None else _of(media_id, which))
        return tuple(_offer(row) for row, _ in standing)

    async def offers(self, user: User, media_id: MediaId) -> tuple[Offer, ...]:
        """What others say of an anime and this user has not answered: what most accept first, only so much."""
        which = _of(media_id, CorrectionAnswerRow.user_id.is_(None), _IS_HELD)
        async with self._database.begin(SYSTEM) as tx:  # how many accept it counts
            return tuple(_offer(row) for row, _ in await _standing(tx, user, which, offered=True))

    async def make(self, user: User, correction: Correction) -> Offer:
        """Say something of an anime's releases. What this user said before and now contradicts is taken back.

        Raises:
            Invalid: it cannot be meant; `field` names what is wrong.
            Missing: AniList knows no such anime.
            Refused: the user holds too many, or is gone or disabled.
            Conflict: others said the same and took it back, again and again at this moment.
            RemoteError: AniList is away, and the anime is not known.
        """
        said = checked(correction, await self._watchlists.anime(correction.media_id))
        digest = _digest(said)
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            rows = await _locked(tx, said.media_id)
            row = next((row for row in rows if row.digest == digest), None) or await _new(tx, said, digest)
            await _accept(tx, user, row, rows)
        return _offer(row)

    async def answer(self, user: User, correction_id: int, *, accept: bool) -> Offer:
        """Accept a correction, or decline it: it is not offered again.

        Raises:
            Missing: there is no such correction.
            Refused: the user holds too many, or is gone or disabled.
        """
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            row, rows = await _one(tx, correction_id)
            if accept:
                await _accept(tx, user, row, rows)
            else:
                await _answer(tx, user, row, accept=False)
                await _tidy(tx, row.media_id)
        return _offer(row)

    async def take_back(self, user: User, correction_id: int) -> Offer:
        """Forget this user's own answer; what nobody accepts any more is gone.

        Raises:
            Missing: the user gave no answer to such a correction.
            Refused: the user is gone or disabled.
        """
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            row, _ = await _one(tx, correction_id)
            given = await tx.get(CorrectionAnswerRow, (user.id, correction_id))
            if given is None:
                raise Missing("you have no such correction")
            await tx.delete(given)
            await _tidy(tx, row.media_id)
        return _offer(row)

    async def standing(self, by: Admin) -> tuple[Standing, ...]:
        """Everything that anybody accepts, with who does, by anime.

        Raises:
            Refused: `by` is no admin any more.
        """
        given = select(CorrectionAnswerRow).order_by(CorrectionAnswerRow.answered_at, CorrectionAnswerRow.user_id)
        held = select(CorrectionRow).where(_IS_HELD).order_by(CorrectionRow.media_id, CorrectionRow.id)
        async with self._database.begin(SYSTEM) as tx:
            await _authorise(tx, by)
            answers: dict[int, list[CorrectionAnswerRow]] = {}
            for answer in await tx.scalars(given):
                answers.setdefault(answer.correction_id, []).append(answer)
            whose = await people(tx, {UserId(one.user_id) for each in answers.values() for one in each})
            rows = (await tx.scalars(held)).all()
        return tuple(_standing_of(row, answers.get(row.id, ()), whose) for row in rows)

    async def reject(self, by: Admin, correction_id: int) -> Offer:
        """Delete a correction, whoever accepts it; it can be made again.

        Raises:
            Missing: there is no such correction.
            Refused: no admin any more.
        """
        async with self._database.begin(SYSTEM) as tx:
            await _authorise(tx, by)
            row, _ = await _one(tx, correction_id)
            await tx.execute(delete(CorrectionRow).where(CorrectionRow.id == correction_id))
            audit.note(tx, by, "corrections reject", str(correction_id), detail=f"of anime {row.media_id}")
        return _offer(row)

    async def set_for_all(self, by: Admin, correction_id: int, *, on: bool) -> Offer:
        """Let a correction count for everybody who does not decline it, or no more; one that contradicts it stops.

        Raises:
            Missing: there is no such correction.
            Refused: no admin any more.
        """
        async with self._database.begin(SYSTEM) as tx:
            await _authorise(tx, by)
            row, rows = await _one(tx, correction_id)
            row.is_for_all = on
            for other in rows if on else ():
                other.is_for_all = other.is_for_all and not _contradict(_said(row), _said(other))
            await _tidy(tx, row.media_id)
            audit.note(tx, by, "corrections share", str(correction_id), detail="on" if on else "off")
        return _offer(row)


def checked(correction: Correction, anime: Anime) -> Correction:
    """The correction as it is kept: what its form has no use for is empty, and what it says can be meant.

    Raises:
        Invalid: it cannot; `field` names what is wrong.
    """
    form, media_id = correction.form, correction.media_id
    if form is Form.TITLE:
        return Correction(form, media_id, title=_title(correction.title))
    name = clean(correction.title)[:LONGEST_NAME]
    if form is Form.OFFSET:
        group = clean(correction.group)
        if len(group) > LONGEST_TITLE:
            raise Invalid(f"a group's name has at most {LONGEST_TITLE} characters", field="group")
        return Correction(form, media_id, group=group, offset=_offset(correction.offset), title=name)
    infohash = correction.infohash.strip().lower()
    if not _INFOHASH.fullmatch(infohash):
        raise Invalid("an infohash has 40 characters of 0-9 and a-f", field="infohash")
    return Correction(form, media_id, infohash=infohash, episode=_episode(correction.episode, anime), title=name)


def _title(said: str) -> str:
    title = clean(said)
    if not 2 <= len(title) <= LONGEST_TITLE or not any(map(str.isalnum, title)):
        raise Invalid(f"a title has 2 to {LONGEST_TITLE} characters, and letters or digits among them", field="title")
    return title


def _offset(said: int | None) -> int:
    if said is None or not 0 <= said <= MOST_OFFSET:
        raise Invalid(f"numbers run ahead of the show's own by 0 to {MOST_OFFSET}", field="offset")
    return said


def _episode(said: int | None, anime: Anime) -> int:
    if said is None or not 1 <= said <= (anime.episodes or MOST_EPISODES):
        has = f"{anime.title} has {anime.episodes}" if anime.episodes else f"there are no more than {MOST_EPISODES}"
        raise Invalid(f"episodes are counted from 1, and {has}", field="episode")
    return said


def _contradict(one: Correction, other: Correction) -> bool:
    """Whether nobody can mean both: a release is one episode, and a group's numbers run ahead by one offset."""
    if one.form is Form.OFFSET and other.form is Form.OFFSET:
        return one.group.lower() == other.group.lower() and one.offset != other.offset
    if not one.infohash or one.infohash != other.infohash:
        return False
    if one.form is not other.form:
        return one.episode == other.episode
    return one.form is Form.IS and one.episode != other.episode


def _digest(said: Correction) -> str:
    """The same for whatever says the same. The name of the release it was said of is no part of it."""
    title = said.title.casefold() if said.form is Form.TITLE else ""
    what = [said.media_id, said.form, said.infohash, said.episode, said.group.casefold(), said.offset, title]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


async def _authorise(tx: Tx, by: Admin) -> None:
    """An `Admin` may be older than a demotion: ask again where it counts."""
    if not (await hold(tx, by.user)).is_admin:
        raise Refused("only admins may do that")


def _of(media_id: MediaId, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(CorrectionRow.media_id == media_id, *more)


async def _standing(
    tx: Tx, user: User, which: ColumnElement[bool], *, offered: bool = False
) -> Sequence[tuple[CorrectionRow, bool | None]]:
    """Corrections and what this user answered; None: nothing. Oldest first, or as they are offered."""
    own = and_(CorrectionAnswerRow.correction_id == CorrectionRow.id, CorrectionAnswerRow.user_id == user.id)
    found = select(CorrectionRow, CorrectionAnswerRow.is_accepted).outerjoin(CorrectionAnswerRow, own).where(which)
    if offered:
        held = select(func.count()).where(_ANYBODYS.correction_id == CorrectionRow.id, _ANYBODYS.is_accepted)
        most_held = held.correlate(CorrectionRow).scalar_subquery().desc()
        found = found.order_by(CorrectionRow.is_for_all.desc(), most_held).limit(MOST_OFFERED)
    return [(row, accepted) for row, accepted in await tx.execute(found.order_by(CorrectionRow.id))]


async def _locked(tx: Tx, media_id: MediaId) -> Sequence[CorrectionRow]:
    """All that is said of an anime. Everybody locks it in one order, so that nobody waits in a circle."""
    locked = select(CorrectionRow).where(CorrectionRow.media_id == media_id).order_by(CorrectionRow.id)
    return (await tx.scalars(locked.with_for_update().execution_options(populate_existing=True))).all()


async def _one(tx: Tx, correction_id: int) -> tuple[CorrectionRow, Sequence[CorrectionRow]]:
    """A correction that somebody holds, among all of its anime, locked."""
    async with as_system(tx):  # by whom is for it alone to know
        media_id = await tx.scalar(select(CorrectionRow.media_id).where(CorrectionRow.id == correction_id, _IS_HELD))
    rows = [] if media_id is None else await _locked(tx, MediaId(media_id))
    row = next((row for row in rows if row.id == correction_id), None)
    if row is None:
        raise Missing(_MISSING)
    return row, rows


async def _new(tx: Tx, said: Correction, digest: str) -> CorrectionRow:
    row = CorrectionRow(
        digest=digest, media_id=said.media_id, form=said.form.value, infohash=said.infohash, episode=said.episode,
        group=said.group, offset=said.offset, title=said.title, is_for_all=False, made_at=datetime.now(UTC),
    )  # fmt: skip
    for _ in range(ATTEMPTS):
        try:
            async with tx.begin_nested():
                tx.add(row)
            return row
        except IntegrityError:
            # Somebody else says the same at this moment; it is theirs and ours now, unless they took it back.
            same = select(CorrectionRow).where(CorrectionRow.digest == digest).with_for_update()
            if (theirs := await tx.scalar(same)) is not None:
                return theirs
    raise Conflict("somebody else changes the same correction just now; try again")


async def _accept(tx: Tx, user: User, row: CorrectionRow, rows: Sequence[CorrectionRow]) -> None:
    """This user stands by it from now on, and no longer by what it contradicts."""
    against = [other.id for other in rows if _contradict(_said(row), _said(other))]
    mine = (CorrectionAnswerRow.user_id == user.id, CorrectionAnswerRow.is_accepted)
    for given in await tx.scalars(
        select(CorrectionAnswerRow).where(*mine, CorrectionAnswerRow.correction_id.in_(against))
    ):
        given.is_accepted = False
    await _answer(tx, user, row, accept=True)
    await tx.flush()
    if (await tx.scalar(select(func.count()).select_from(CorrectionAnswerRow).where(*mine)) or 0) > MOST:
        raise Refused(f"you hold {MOST} corrections, which is the most; take some back first")
    await _tidy(tx, row.media_id)


async def _answer(tx: Tx, user: User, row: CorrectionRow, *, accept: bool) -> None:
    given = await tx.get(CorrectionAnswerRow, (user.id, row.id))
    if given is None:
        given = CorrectionAnswerRow(user_id=user.id, correction_id=row.id)
        tx.add(given)
    given.is_accepted, given.answered_at = accept, datetime.now(UTC)


async def _tidy(tx: Tx, media_id: int) -> None:
    """Delete what nobody holds."""
    await tx.flush()
    gone = delete(CorrectionRow).where(CorrectionRow.media_id == media_id, ~_IS_HELD)
    async with as_system(tx):  # others may hold it
        await tx.execute(gone.execution_options(synchronize_session=False))


def _said(row: CorrectionRow) -> Correction:
    return Correction(
        Form(row.form), MediaId(row.media_id), row.infohash, row.episode, row.group, row.offset, row.title
    )


def _standing_of(row: CorrectionRow, answers: Sequence[CorrectionAnswerRow], whose: Mapping[UserId, User]) -> Standing:
    accepted = tuple(whose[UserId(one.user_id)].name for one in answers if one.is_accepted)
    return Standing(_offer(row), accepted, sum(not one.is_accepted for one in answers), row.made_at)


def _offer(row: CorrectionRow) -> Offer:
    return Offer(row.id, _said(row), is_for_all=row.is_for_all)
