"""Links by which a browser fetches one file: signed, soon over, and of no use in another session.

The key is made anew at each start, as the sessions are. What identifies a session is part of the key and not of the
link: whoever finds a link in a history, a log or over a shoulder has nothing, nor learns whose it was.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from itsdangerous import BadData, URLSafeSerializer

from uuutorrent.browser.sessions import BrowserSession
from uuutorrent.errors import Refused
from uuutorrent.store import onlooking
from uuutorrent.torrents.engine import InfoHash
from uuutorrent.torrents.views.names import safe

BEGIN_S = 60
"""So soon a link has to be followed."""
RESUME_S = 12 * 3600
"""So long a download that was begun in time may go on, or be taken up again."""
MOST_BEGUN = 4096
"""Links followed that are remembered."""
OVER = "This link does not work here, or not any more: it is for one session and a minute. Press the key again."


@dataclass(frozen=True, slots=True)
class Link:
    """What a link leads to: a file of a torrent, by its place in the torrent's list."""

    infohash: InfoHash
    index: int


class Links:
    """Makes links and reads them; one for each door."""

    def __init__(self, *, now: Callable[[], float] = time.time) -> None:
        self._key = secrets.token_bytes(32)
        self._now = now
        self._begun: dict[str, float] = {}
        """Links that were followed, each with the moment until which it works."""

    def for_(self, session: BrowserSession) -> Callable[[InfoHash, int, str], str]:
        """What makes the links of one session."""
        key, user_id = session.key, session.user.id
        return lambda infohash, index, name: self.address(key, user_id, Link(infohash, index), name)

    def address(self, key: bytes, user_id: int, link: Link, name: str) -> str:
        """The address of a file for the session of this key and user; `name` is what it is called there.

        Raises:
            Refused: an admin only looks.
        """
        onlooking.refuse()
        token = self._signer(key, user_id).dumps([link.infohash, link.index, int(self._now())])
        assert isinstance(token, str)
        return f"/files/{token}/{quote(safe(name), safe='')}"

    def follow(self, key: bytes, user_id: int, token: str) -> Link:
        """What a link leads to that is followed in this session.

        Raises:
            Refused: it was made for another session, changed, or is over.
        """
        try:
            infohash, index, made_at = self._signer(key, user_id).loads(token)
        except BadData as e:
            raise Refused(OVER) from e
        now = self._now()
        if now > self._begun.get(token, made_at + BEGIN_S):
            raise Refused(OVER)
        if token not in self._begun:
            while len(self._begun) >= MOST_BEGUN:
                del self._begun[next(iter(self._begun))]
            self._begun[token] = now + RESUME_S
        return Link(InfoHash(infohash), index)

    def _signer(self, key: bytes, user_id: int) -> URLSafeSerializer:
        # Source: itsdangerous, concepts: the salt is hashed into the key; a signature of one is none of another.
        return URLSafeSerializer(self._key, salt=f"file link, user {user_id}, session {key.hex()}")
