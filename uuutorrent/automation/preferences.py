"""What people want to happen by itself: the owner of the table `preferences`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import time
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from uuutorrent.accounts import User, UserId, enabled, hold, people
from uuutorrent.errors import Invalid
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.store.tables import PreferenceRow

MOST_DAYS = 365


class Mode(StrEnum):
    """What the autopilot does with a new episode."""

    OFF = "off"
    ASK = "ask"
    ON = "on"


class Watched(StrEnum):
    """What happens when an episode was read to its end."""

    OFF = "off"
    ASK = "ask"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Preferences:
    """One user's wishes."""

    autopilot: Mode = Mode.OFF
    upgrades: bool = True
    """The autopilot replaces an episode it fetched when its group posts a corrected version."""
    watched: Watched = Watched.ASK
    quiet_from: str = ""
    """"HH:MM" in `zone`: nothing is sent outside from then until `quiet_to`; empty: at any hour."""
    quiet_to: str = ""
    zone: str = "UTC"
    tidy_days: int = 0
    """Episodes that were watched and served are deleted after so many days; 0: never."""


class PreferenceBook:
    """Everybody's preferences."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, user: User) -> Preferences:
        """What this user wants."""
        async with self._database.begin(user.id) as tx:
            row = await tx.get(PreferenceRow, user.id)
            return _read(row.preferences if row else {})

    async def every(self) -> Mapping[User, Preferences]:
        """Who ever said what they want, and it; users that are gone or disabled are left out."""
        async with self._database.begin(SYSTEM) as tx:
            every = select(PreferenceRow).where(PreferenceRow.user_id.in_(enabled())).order_by(PreferenceRow.user_id)
            rows = (await tx.scalars(every)).all()
            known = await people(tx, {UserId(row.user_id) for row in rows})
        found = ((known.get(UserId(row.user_id)), _read(row.preferences)) for row in rows)
        return {user: wishes for user, wishes in found if user is not None}

    async def change(self, user: User, **changes: Any) -> Preferences:
        """Change some of this user's preferences, named as the fields of `Preferences`.

        Raises:
            Invalid: it means nothing; `field` names what.
            Refused: the user is gone or disabled.
        """
        async with self._database.begin(user.id) as tx:
            return await self.change_in(tx, user, **changes)

    async def change_in(self, tx: Tx, user: User, **changes: Any) -> Preferences:
        """`change`, inside the caller's transaction.

        Raises:
            Invalid, Refused: as for `change`.
        """
        await hold(tx, user)
        row = await tx.get(PreferenceRow, user.id)
        before = row.preferences if row else {}
        after = check(replace(_read(before), **changes))
        await tx.merge(PreferenceRow(user_id=user.id, preferences=before | asdict(after)))
        return after


def check(wishes: Preferences) -> Preferences:
    """The same, if all of it means something.

    Raises:
        Invalid: `field` names what does not.
    """
    for name in ("quiet_from", "quiet_to"):
        _check_hour(getattr(wishes, name), name)
    if bool(wishes.quiet_from) != bool(wishes.quiet_to):
        raise Invalid("quiet hours have a beginning and an end", field="quiet_from")
    try:
        ZoneInfo(wishes.zone)
    except (OSError, ValueError, LookupError) as e:
        raise Invalid(f"there is no time zone {wishes.zone}; one is named like Europe/Berlin", field="zone") from e
    if not 0 <= wishes.tidy_days <= MOST_DAYS:
        raise Invalid(f"a number of days between 0 (never) and {MOST_DAYS}", field="tidy_days")
    return wishes


def _check_hour(said: str, field: str) -> None:
    try:
        if said and len(said) == len("HH:MM"):
            time.fromisoformat(said)
            return
    except ValueError:
        pass
    if said:
        raise Invalid("say an hour like 23:30", field=field)


def _read(stored: Mapping[str, Any]) -> Preferences:
    """The stored preferences that this version knows."""
    known = {field.name: stored[field.name] for field in fields(Preferences) if field.name in stored}
    wishes = Preferences(**known)
    return replace(wishes, autopilot=Mode(wishes.autopilot), watched=Watched(wishes.watched))
