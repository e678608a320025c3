"""Second factors as they are stored: codes that an app shows, and recovery codes for when it is lost.

`accounts` says whose they are and who may change them. No code is taken twice.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyotp
from sqlalchemy import update

from uuutorrent.errors import Conflict, Invalid, Missing, Refused
from uuutorrent.store.database import Tx
from uuutorrent.store.sealed import KeyRing
from uuutorrent.store.tables import FactorRow
from uuutorrent.users import UserId

STEP_S = 30
"""Source: RFC 6238, 4.1."""
SKEW = 1
"""Steps that a phone's clock may be away from ours."""
RECOVERY_CODES = 12
STEP_UP = timedelta(minutes=15)
"""For so long after a code what only admins may do is open, where it was typed."""
ISSUER = "uuutorrent"
WRONG = "that code is not right, or was used before: wait for the next one"

NEEDED = "admins need a second factor here: set one up first with factor begin, or on the screen 5 Account"

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE = re.compile(r"[0-9]{6}")


class StepUp(Refused):
    """It needs a code first, since it was long ago that one was typed."""

    def __init__(self) -> None:
        super().__init__("type a code of your app first: code 123456")


class Proof:
    """Whether a code was typed lately in one session: what it opens, it opens there and nowhere else."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._given_at: datetime | None = None

    def given(self) -> None:
        """A right code was typed just now."""
        self._given_at = self._now()

    def is_fresh(self, since: datetime | None = None) -> bool:
        """Whether that was lately, and with the second factor that is on `since` then."""
        at = self._given_at
        return at is not None and at > self._now() - STEP_UP and (since is None or at >= since)


@dataclass(frozen=True, slots=True)
class Factor:
    """Whether a user has a second factor."""

    is_on: bool
    recovery_left: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A factor that is not confirmed yet: its secret for typing, and the address that a QR code holds."""

    secret: str
    uri: str


async def of(tx: Tx, user_id: UserId) -> Factor:
    """This user's second factor."""
    row = await tx.get(FactorRow, user_id)
    if row is None or row.confirmed_at is None:
        return Factor(is_on=False)
    return Factor(is_on=True, recovery_left=len(row.recovery), since=row.confirmed_at)


async def begin(tx: Tx, keyring: KeyRing, user_id: UserId, name: str) -> Begun:
    """Make a secret; it asks for nothing before `confirm`.

    Raises:
        Conflict: there is one that is confirmed.
    """
    row = await tx.get(FactorRow, user_id)
    if row is not None and row.confirmed_at is not None:
        raise Conflict("you have a second factor already: remove it first")
    secret = pyotp.random_base32()
    sealed = keyring.seal(secret, place=_place(user_id))
    await tx.merge(FactorRow(user_id=user_id, sealed_secret=sealed, last_step=0, recovery=[], made_at=_now()))
    return Begun(secret, pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER))


async def confirm(tx: Tx, keyring: KeyRing, user_id: UserId, code: str) -> tuple[str, ...]:
    """Switch it on with a first code; the recovery codes, to be shown once.

    Raises:
        Missing: nothing was begun.
        Conflict: it is on already.
        Invalid: the code is wrong.
    """
    row = await tx.get(FactorRow, user_id)
    if row is None:
        raise Missing("begin first: factor begin")
    if row.confirmed_at is not None:
        raise Conflict("your second factor is on already")
    if not await _take(tx, keyring, row, code):
        raise Invalid(WRONG, field="code")
    codes = _recovery_codes()
    row.recovery, row.confirmed_at = [_digest(one) for one in codes], _now()
    return codes


async def prove(tx: Tx, keyring: KeyRing, user_id: UserId, code: str) -> bool:
    """Whether this is a code of theirs that was not used yet, of the app or for recovery; it is used up by that."""
    row = await tx.get(FactorRow, user_id)
    if row is None or row.confirmed_at is None:
        return False
    return await _take(tx, keyring, row, code) or await _recover(tx, row, code)


async def renew(tx: Tx, user_id: UserId) -> tuple[str, ...]:
    """New recovery codes in place of all that are left, to be shown once.

    Raises:
        Missing: there is no second factor.
    """
    row = await tx.get(FactorRow, user_id)
    if row is None or row.confirmed_at is None:
        raise Missing("you have no second factor")
    codes = _recovery_codes()
    row.recovery = [_digest(one) for one in codes]
    return codes


async def remove(tx: Tx, user_id: UserId) -> None:
    """Switch it off.

    Raises:
        Missing: there is none.
    """
    row = await tx.get(FactorRow, user_id)
    if row is None:
        raise Missing("there is no second factor")
    await tx.delete(row)


async def check_step_up(tx: Tx, user_id: UserId, proof: Proof | None, *, is_needed: bool = False) -> None:
    """Refuse unless `proof` is of a code that was typed lately, or there is no second factor and none is needed.

    Raises:
        StepUp: it was longer ago, or elsewhere.
        Refused: a second factor is needed, and there is none.
    """
    row = await tx.get(FactorRow, user_id)
    if row is None or row.confirmed_at is None:
        if is_needed:
            raise Refused(NEEDED)
        return
    if proof is None or not proof.is_fresh(row.confirmed_at):
        raise StepUp


async def _take(tx: Tx, keyring: KeyRing, row: FactorRow, code: str) -> bool:
    """Whether an app shows this code about now; the step is taken so that nobody takes it again."""
    digits = "".join(code.split())
    if not _CODE.fullmatch(digits):
        return False
    totp = pyotp.TOTP(keyring.unseal(row.sealed_secret, place=_place(row.user_id)))
    now = int(time.time()) // STEP_S
    for step in range(now - SKEW, now + SKEW + 1):
        if secrets.compare_digest(totp.generate_otp(step), digits):
            newer = (FactorRow.user_id == row.user_id, FactorRow.last_step < step)
            took = update(FactorRow).where(*newer).values(last_step=step).returning(FactorRow.user_id)
            return await tx.scalar(took) is not None
    return False


async def _recover(tx: Tx, row: FactorRow, code: str) -> bool:
    given = _digest(code)
    if given not in row.recovery:
        return False
    row.recovery = [one for one in row.recovery if one != given]
    await tx.flush()
    return True


def _recovery_codes() -> tuple[str, ...]:
    """Three groups of five: with 74 bits each, nobody finds them from what is stored."""
    return tuple(
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(3)) for _ in range(RECOVERY_CODES)
    )


def _digest(code: str) -> str:
    """Of a recovery code, however it is typed."""
    return hashlib.sha256("".join(code.split()).replace("-", "").lower().encode("utf-8", "replace")).hexdigest()


def _place(user_id: int) -> str:
    return f"factors:secret:{user_id}"


def _now() -> datetime:
    return datetime.now(UTC)
