"""What people prefer among releases: a taste each, and what they prefer otherwise for one anime.

The owner of the tables `tastes` and `show_tastes`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from uuutorrent import audit
from uuutorrent import config as settings
from uuutorrent import people as stored_people
from uuutorrent.accounts import Admin, User, hold
from uuutorrent.anime.anime import MediaId
from uuutorrent.errors import Invalid
from uuutorrent.releases import tongues
from uuutorrent.releases.marks import HEIGHTS
from uuutorrent.releases.release import Taste
from uuutorrent.store.database import SYSTEM, Database, Tx, as_system
from uuutorrent.store.tables import ShowTasteRow, TasteRow

USUAL_MIN = 24
"""Minutes of an episode where nothing else is known: sizes are typed and shown for as many."""
MOST_GROUPS = 60
MOST_SEEDERS = 10_000
MOST_WAIT_MIN = 7 * 24 * 60
MOST_BYTES_PER_MIN = 1 << 40
CHOICES: Mapping[str, tuple[str | int, ...]] = {
    "codecs": ("AVC", "HEVC", "AV1"),
    "bit_depths": (8, 10),
    "sources": ("WEB", "BD", "DVD", "TV"),
    "languages": tuple(tongues.NAMES),
}
"""What the lists with fixed words may hold."""
SIZES = ("min_bytes_per_min", "max_bytes_per_min")
_KNOWN = frozenset(field.name for field in dataclasses.fields(Taste))
_OLD_SIZE = "max_episode_bytes"
"""Stored by versions that bounded an episode, however long it is."""


class Tastes:
    """Everybody's tastes."""

    def __init__(self, database: Database, config: settings.Accounts | None = None) -> None:
        self._database = database
        self._config = config or settings.Accounts()

    async def of(self, user: User, media_id: MediaId | None = None) -> Taste:
        """What this user prefers; for an anime with what they prefer otherwise there laid over it."""
        async with self._database.begin(user.id) as tx:
            return await self._taste(tx, user, media_id)

    async def show(self, user: User, media_id: MediaId) -> Mapping[str, Any]:
        """Only what this user prefers otherwise for this anime, by the names of the fields of `Taste`."""
        async with self._database.begin(user.id) as tx:
            row = await tx.get(ShowTasteRow, (user.id, media_id))
            return _read(row.taste) if row else {}

    async def set(self, user: User, taste: Taste) -> None:
        """Remember what this user prefers.

        Raises:
            Invalid: a preference means nothing; `field` names it.
            Refused: the user is gone or disabled.
        """
        check(taste)
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            await _set(tx, user, taste)

    async def theirs(self, by: Admin, name: str) -> Taste:
        """What somebody prefers, for an admin.

        Raises:
            Missing: there is no such user.
            Refused: `by` is no admin any more.
        """
        async with self._database.begin(SYSTEM) as tx:
            await stored_people.authorise(tx, by)
            return await self._taste(tx, (await stored_people.named(tx, name)).user)

    async def set_theirs(self, by: Admin, name: str, taste: Taste) -> None:
        """Settle what somebody prefers; they change it as if they had chosen it.

        Raises:
            Invalid: a preference means nothing; `field` names it.
            Missing: there is no such user.
            Refused: `by` is no admin any more.
        """
        check(taste)
        async with self._database.begin(SYSTEM) as tx:
            whom = await stored_people.hold_for(tx, by, name, loses_admin=False)
            await _set(tx, whom.user, taste)
            audit.note(tx, by, "users taste", name)

    async def set_show(self, user: User, media_id: MediaId, changes: Mapping[str, Any]) -> None:
        """Remember all that this user prefers otherwise for this anime; nothing: as everywhere.

        Raises:
            Invalid: a preference means nothing, or not beside the rest of the taste; `field` names it.
            Refused: the user is gone or disabled.
        """
        if unknown := sorted(changes.keys() - _KNOWN):
            raise Invalid(f"there is no preference {unknown[0]}", field=unknown[0])
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            check(dataclasses.replace(await self._taste(tx, user), **changes))
            row = await tx.get(ShowTasteRow, (user.id, media_id))
            stored = _foreign(row.taste if row else {}) | dict(changes)
            await _keep(tx, user, media_id, stored)

    async def clear_show(self, user: User, media_id: MediaId) -> None:
        """Prefer for this anime what is preferred everywhere.

        Raises:
            Refused: the user is gone or disabled.
        """
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            await _keep(tx, user, media_id, {})

    async def _taste(self, tx: Tx, user: User, media_id: MediaId | None = None) -> Taste:
        row = await tx.get(TasteRow, user.id) or await self._house(tx)
        show = await tx.get(ShowTasteRow, (user.id, media_id)) if media_id is not None else None
        return Taste(**((_read(row.taste) if row else {}) | (_read(show.taste) if show else {})))

    async def _house(self, tx: Tx) -> TasteRow | None:
        """The taste of those who have none of their own: that of one user, whose row theirs may not be."""
        if not self._config.taste_of:
            return None
        async with as_system(tx):
            whose = await stored_people.find(tx, self._config.taste_of)
            return None if whose is None else await tx.get(TasteRow, whose.id)


def check(taste: Taste) -> None:
    """Refuse a preference that means nothing.

    Raises:
        Invalid: `field` names it.
    """
    if not taste.resolutions or not set(taste.resolutions) <= HEIGHTS:
        raise Invalid("name at least one resolution: 2160, 1080, 720, 480 …", field="resolutions")
    for name in ("groups", "blocked_groups"):
        groups = getattr(taste, name)
        if len(groups) > MOST_GROUPS or not all(0 < len(group) <= 100 for group in groups):
            raise Invalid(f"name at most {MOST_GROUPS} groups, each with 1 to 100 characters", field=name)
    for name, choices in CHOICES.items():
        if unknown := [word for word in getattr(taste, name) if word not in choices]:
            offered = ", ".join(map(str, choices))
            raise Invalid(f"{name.replace('_', ' ')}: {unknown[0]} is none of {offered}", field=name)
    _check_numbers(taste)


def _check_numbers(taste: Taste) -> None:
    if not 0 <= taste.min_seeders <= MOST_SEEDERS:
        raise Invalid(f"the least number of seeders is between 0 and {MOST_SEEDERS}", field="min_seeders")
    if not 0 <= taste.wait_min <= MOST_WAIT_MIN:
        raise Invalid(f"the wait for a preferred group is between 0 and {MOST_WAIT_MIN} minutes", field="wait_min")
    for name in SIZES:
        bound = getattr(taste, name)
        if bound is not None and not 0 < bound <= MOST_BYTES_PER_MIN:
            raise Invalid("a bound of the size is above 0 and below 1 TiB a minute", field=name)
    if (taste.min_bytes_per_min or 0) > (taste.max_bytes_per_min or MOST_BYTES_PER_MIN):
        raise Invalid("the smallest size is above the largest, so nothing would fit", field="min_bytes_per_min")


async def _set(tx: Tx, user: User, taste: Taste) -> None:
    row = await tx.get(TasteRow, user.id)
    stored = _foreign(row.taste if row else {}) | dataclasses.asdict(taste)
    await tx.merge(TasteRow(user_id=user.id, taste=stored))


async def _keep(tx: Tx, user: User, media_id: MediaId, stored: Mapping[str, Any]) -> None:
    if stored:
        await tx.merge(ShowTasteRow(user_id=user.id, media_id=media_id, taste=dict(stored)))
    elif row := await tx.get(ShowTasteRow, (user.id, media_id)):
        await tx.delete(row)


def _read(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The stored preferences that this version knows."""
    known = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items() if name in _KNOWN
    }
    if stored.get(_OLD_SIZE) and "max_bytes_per_min" not in known:
        known["max_bytes_per_min"] = max(1, round(stored[_OLD_SIZE] / USUAL_MIN))
    return known


def _foreign(stored: Mapping[str, Any]) -> dict[str, Any]:
    """What another version stored and this one does not know: it is left alone."""
    return {name: value for name, value in stored.items() if name not in _KNOWN and name != _OLD_SIZE}
