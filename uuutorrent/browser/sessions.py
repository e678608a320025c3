"""Who is signed in with a browser: the secret in their cookie, of which only the hash is kept here, and its end."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from uuutorrent.admission import Pace
from uuutorrent.desk import Desk, Services
from uuutorrent.errors import Refused
from uuutorrent.presence import Activity, Here
from uuutorrent.users import SignedIn, User

IDLE = "nothing was asked for in a long time"
OVER = "you were signed in for as long as one may be at a time"
FULL = "too many people are signed in: try again in a few minutes"
PAGES_AT_ONCE, PAGES_PER_S = 10, 1.0
"""Pages that may be opened in a session in one go, and how many more each second: each begins with screens anew."""
FAREWELLS = 1000
"""So many people who were sent away are remembered, to be told why."""


def hashed(secret: str) -> bytes:
    """What is kept of a cookie's secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Open(Protocol):
    """What is open in a session: a page, or a file that is being sent."""

    def leave(self, sentence: str) -> None:
        """End, soon; the person is told the sentence."""
        ...


class Page(Open, Protocol):
    """A page with the screens."""

    def say(self, sentence: str) -> bool:
        """Show what the admins say; False: nobody sees it."""
        ...


class BrowserSession:
    """Somebody who signed in with a browser, until they sign out or have to go."""

    def __init__(self, services: Services, user: User, here: Here, key: bytes, clock: Callable[[], float]) -> None:
        self._services = services
        self._clock = clock
        self.key = key
        """The hash of the secret in its cookie."""
        self.user = user
        """Who signed in, as they were then."""
        self.signed_in = SignedIn(user.id)
        self.here = here
        self.desk: Desk = services.desk(user, here)
        self.pages: list[Page] = []
        """Those that are open, the oldest first."""
        self.open: list[Open] = []
        """What else is."""
        self.pace = Pace(PAGES_AT_ONCE, PAGES_PER_S)
        """How fast pages are opened."""
        self.sent = self.received = 0
        self.ended = asyncio.Event()
        self.began_at = self.asked_at = clock()

    @property
    def id(self) -> int:
        """Its number in the list of who is here."""
        return self.here.id

    def asked(self) -> None:
        """The person did something."""
        self.asked_at = self._clock()

    def is_now(self, user: User) -> None:
        """Who they are by now, for what is opened next."""
        self.desk = self._services.desk(user, self.here)

    def activity(self) -> Activity:
        """What is open in it, and what went each way."""
        return Activity(("browser",) * max(1, len(self.pages)), self.sent, self.received)

    def say(self, sentence: str) -> bool:
        """Show what the admins say; False: nobody sees it."""
        return sum(page.say(sentence) for page in self.pages) > 0


class Sessions:
    """Everybody who is signed in with a browser. `clock` counts seconds and does not jump."""

    def __init__(self, services: Services, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._services = services
        self._limits = services.config.browser
        self._clock = clock
        self._sessions: dict[bytes, BrowserSession] = {}
        self._farewells: OrderedDict[bytes, str] = OrderedDict()

    @property
    def every(self) -> tuple[BrowserSession, ...]:
        """All of them, the oldest first."""
        return tuple(self._sessions.values())

    def begin(self, user: User, ip: str, *, with_code: bool) -> tuple[BrowserSession, str]:
        """One more, and the secret that stands for it.

        Raises:
            Refused: there are as many as there may be, of this user or in all.
        """
        self._check_room(user)
        secret = secrets.token_urlsafe(32)
        here = Here(user, ip, "browser")
        if with_code:
            here.proof.given()
        session = BrowserSession(self._services, user, here, hashed(secret), self._clock)
        here.activity, here.say = session.activity, session.say
        here.hang_up = lambda sentence: self.end(session, sentence)
        self._services.presence.came(here)
        self._sessions[session.key] = session
        return session, secret

    def of(self, secret: str) -> BrowserSession | None:
        """Whose cookie it is."""
        return self._sessions.get(hashed(secret)) if secret else None

    def farewell(self, secret: str) -> str:
        """Why the session of this cookie is over, told once; empty: there was none, or they signed out."""
        return self._farewells.pop(hashed(secret), "") if secret else ""

    def end(self, session: BrowserSession, sentence: str = "") -> None:
        """Its cookie is worth nothing from now on, and what is open in it ends."""
        if self._sessions.pop(session.key, None) is None:
            return
        self._services.presence.left(session.here)
        self._farewells[session.key] = sentence
        while len(self._farewells) > FAREWELLS:
            self._farewells.popitem(last=False)
        session.ended.set()
        for one in (*session.pages, *session.open):
            one.leave(sentence)

    def end_idle(self) -> None:
        """End those in which nothing was asked for in a long time, and those that began long ago."""
        now, limits = self._clock(), self._limits
        for session in self.every:
            if now - session.asked_at > limits.idle_s:
                self._services.tally.count("browser_limits", "idle")
                self.end(session, IDLE)
            elif now - session.began_at > limits.lifetime_s:
                self._services.tally.count("browser_limits", "lifetime")
                self.end(session, OVER)

    def _check_room(self, user: User) -> None:
        """Raises Refused if there is none. Sessions of theirs in which nothing is open make room."""
        theirs = [session for session in self.every if session.user.id == user.id]
        for session in theirs:
            if len(theirs) < self._limits.sessions_per_user:
                break
            if not session.pages and not session.open:
                self.end(session)
                theirs = [one for one in theirs if one is not session]
        if len(theirs) >= self._limits.sessions_per_user:
            self._services.tally.count("browser_refused", "user_limit")
            raise Refused(f"you are signed in with {len(theirs)} browsers, which is all you may be: sign out of one")
        if len(self._sessions) >= self._limits.sessions:
            self._services.tally.count("browser_refused", "full")
            raise Refused(FULL)
