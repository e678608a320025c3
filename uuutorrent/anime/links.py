"""Links: which AniList account a user keeps their list in, and the token that opens it, sealed."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update

from uuutorrent.accounts import User, UserId, hold
from uuutorrent.anime.anilist import BadToken
from uuutorrent.anime.answers import Viewer
from uuutorrent.errors import Invalid
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.sealed import KeyRing
from uuutorrent.store.tables import LinkRow

LONGEST_TOKEN = 4096
"""Bytes; AniList's are about 1,000."""
EXPIRES_SOON = timedelta(days=30)

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")


@dataclass(frozen=True, slots=True)
class Link:
    """A user's AniList account, as they may see it."""

    anilist_name: str
    expires_at: datetime | None
    """When AniList stops accepting the token; None when the token does not say."""
    expires_soon: bool
    """Within 30 days, or past."""
    broken: bool
    """AniList does not accept the token any more."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What is needed to ask AniList for a user. It stays inside this room and is never shown."""

    anilist_id: int
    token: str = field(repr=False)
    sealed: str = field(repr=False)
    """The token as stored: tells whether the link was made anew meanwhile."""


class Links:
    """The links of all users."""

    def __init__(self, database: Database, keyring: KeyRing) -> None:
        self._database = database
        self._keyring = keyring

    async def of(self, user: User) -> Link | None:
        """The user's link, if they have one."""
        async with self._database.begin(user.id) as tx:
            row = await tx.get(LinkRow, user.id)
        return None if row is None else _link(row)

    async def credential(self, user: User) -> Credential:
        """What opens the list of a user who has a link.

        Raises:
            BadToken: AniList refused it before, it cannot be unsealed, or there is none.
        """
        async with self._database.begin(user.id) as tx:
            row = await tx.get(LinkRow, user.id)
        if row is None or row.broken_at is not None:
            raise BadToken
        try:
            token = self._keyring.unseal(row.sealed_token, place=_place(user))
        except Invalid as e:
            raise BadToken from e
        return Credential(row.anilist_id, token, row.sealed_token)

    async def keep(self, user: User, viewer: Viewer, token: str) -> Link:
        """Link the user to this account, in place of any before."""
        row = LinkRow(
            user_id=user.id,
            anilist_id=viewer.anilist_id,
            anilist_name=viewer.name[:100],
            sealed_token=self._keyring.seal(token, place=_place(user)),
            linked_at=datetime.now(UTC),
            expires_at=expiry(token),
            broken_at=None,
        )
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            await tx.merge(row)
        return _link(row)

    async def forget(self, user: User) -> None:
        """Forget the user's link and token."""
        async with self._database.begin(user.id) as tx:
            await tx.execute(delete(LinkRow).where(LinkRow.user_id == user.id))

    async def broken(self, since: datetime) -> tuple[tuple[UserId, datetime], ...]:
        """Whose token AniList refused after this moment, and when."""
        found = select(LinkRow.user_id, LinkRow.broken_at).where(LinkRow.broken_at > since)
        async with self._database.begin(SYSTEM) as tx:
            return tuple((UserId(user_id), at) for user_id, at in await tx.execute(found) if at is not None)

    async def broke(self, user: User, credential: Credential) -> None:
        """Remember that AniList refused this token (not one the user gave since)."""
        this = (LinkRow.user_id == user.id, LinkRow.sealed_token == credential.sealed)
        async with self._database.begin(user.id) as tx:
            await tx.execute(update(LinkRow).where(*this).values(broken_at=datetime.now(UTC)))


def tidy_token(pasted: str) -> str:
    """The token in what was pasted: a terminal breaks it into lines, which are joined again.

    Raises:
        Invalid: it cannot be a token.
    """
    token = "".join(pasted.split())
    if not token:
        raise Invalid("paste the token that AniList shows after you signed in there", field="token")
    if len(token.encode()) > LONGEST_TOKEN:
        raise Invalid("this is too long for an AniList token (4 KB); copy only the token", field="token")
    if not _TOKEN.fullmatch(token):
        raise Invalid("this is not an AniList token; copy it again, all of it and nothing else", field="token")
    return token


def expiry(token: str) -> datetime | None:
    """When a token says it expires; None when it does not say or says something odd.

    The signature is not checked: whether the token is good is for AniList to say. Source: RFC 7519, 4.1.4 (`exp`).
    """
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        exp = claims.get("exp") if isinstance(claims, dict) else None
        if isinstance(exp, bool) or not isinstance(exp, int | float):
            return None
        return datetime.fromtimestamp(exp, UTC)
    except (ValueError, OverflowError, OSError, RecursionError):
        return None


def _place(user: User) -> str:
    return f"links:sealed_token:{user.id}"


def _link(row: LinkRow) -> Link:
    expires_soon = row.expires_at is not None and row.expires_at - datetime.now(UTC) < EXPIRES_SOON
    return Link(row.anilist_name, row.expires_at, expires_soon, row.broken_at is not None)
