"""The public keys that sign people in, as they are stored. `accounts` says whose they are and who may change them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError

from uuutorrent.errors import Conflict, Missing, Refused
from uuutorrent.publickeys import PublicKey
from uuutorrent.store.database import Tx, as_system
from uuutorrent.store.tables import KeyRow
from uuutorrent.users import UserId

MAX_KEYS = 50
"""Keys one user can have."""

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_ID = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Key:
    """A public key that signs its user in."""

    id: int
    fingerprint: str
    comment: str
    public_key: str
    """Type and base64."""
    added_at: datetime
    last_used_at: datetime | None


async def of(tx: Tx, user_id: UserId) -> tuple[Key, ...]:
    """A user's keys, oldest first."""
    rows = await tx.scalars(select(KeyRow).where(KeyRow.user_id == user_id).order_by(KeyRow.id))
    return tuple(_key(row) for row in rows)


async def find(tx: Tx, user_id: UserId, fingerprint: str) -> Key | None:
    """The user's key with this fingerprint."""
    row = await _row(tx, user_id, KeyRow.fingerprint == fingerprint)
    return _key(row) if row else None


async def holders(tx: Tx, fingerprints: Collection[str]) -> Mapping[str, UserId]:
    """Whose the keys with these fingerprints are; those nobody has are left out."""
    if not fingerprints:
        return {}
    rows = await tx.scalars(select(KeyRow).where(KeyRow.fingerprint.in_(fingerprints)))
    return {row.fingerprint: UserId(row.user_id) for row in rows}


async def use(tx: Tx, user_id: UserId, fingerprint: str) -> bool:
    """Mark the user's key as used just now; False when they have no such key."""
    row = await _row(tx, user_id, KeyRow.fingerprint == fingerprint)
    if row is None:
        return False
    row.last_used_at = datetime.now(UTC)
    return True


async def add(tx: Tx, user_id: UserId, key: PublicKey) -> Key:
    """Add a key. The transaction has to hold the user.

    Raises:
        Conflict: the key is there already, or belongs to somebody else.
        Refused: the user has `MAX_KEYS` of them.
    """
    async with as_system(tx):  # it may be somebody else's
        holder = await tx.scalar(select(KeyRow.user_id).where(KeyRow.fingerprint == key.fingerprint))
    if holder is not None:
        raise Conflict("that key is there already") if holder == user_id else _taken()
    if (await tx.scalar(select(func.count()).where(KeyRow.user_id == user_id)) or 0) >= MAX_KEYS:
        raise Refused(f"{MAX_KEYS} keys are the most one user can have: remove one first")
    row = KeyRow(user_id=user_id, fingerprint=key.fingerprint, public_key=key.line, comment=key.comment)
    row.added_at = datetime.now(UTC)
    tx.add(row)
    try:
        await tx.flush()
    except IntegrityError as e:  # somebody else added it at this moment
        raise _taken() from e
    return _key(row)


async def remove(tx: Tx, user_id: UserId, key: str) -> Key:
    """Remove one of the user's keys, named by its id or its fingerprint.

    Raises:
        Missing: the user has no such key.
    """
    row = await _named(tx, user_id, key)
    if row is None:
        raise Missing("there is no such key: name one by the id or the fingerprint that the list of keys shows")
    await tx.delete(row)
    return _key(row)


async def counts(tx: Tx) -> Mapping[int, int]:
    """How many keys each user has, for those who have any."""
    rows = await tx.execute(select(KeyRow.user_id, func.count()).group_by(KeyRow.user_id))
    return {row.user_id: row[1] for row in rows}


async def _row(tx: Tx, user_id: UserId, which: ColumnElement[bool]) -> KeyRow | None:
    return await tx.scalar(select(KeyRow).where(KeyRow.user_id == user_id, which))


async def _named(tx: Tx, user_id: UserId, key: str) -> KeyRow | None:
    if _ID.fullmatch(key):
        return await _row(tx, user_id, KeyRow.id == int(key))
    return await _row(tx, user_id, KeyRow.fingerprint == key) if _FINGERPRINT.fullmatch(key) else None


def _taken() -> Conflict:
    return Conflict("that key belongs to another user: a key signs in one user only")


def _key(row: KeyRow) -> Key:
    return Key(row.id, row.fingerprint, row.comment, row.public_key, row.added_at, row.last_used_at)
