"""The entrance: a form for name and password, another for the code, by the rules that the SSH port goes by."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import web

from uuutorrent.admission import Admission
from uuutorrent.audit import FAILED, REFUSED
from uuutorrent.browser.pages import Pages
from uuutorrent.browser.sessions import BrowserSession, Sessions, hashed
from uuutorrent.delays import Delays
from uuutorrent.desk import Services
from uuutorrent.errors import Refused, RemoteError, UuuError
from uuutorrent.passwords import Crowded
from uuutorrent.penalties import Offence, OnlyKeys, Source, source_of
from uuutorrent.tries import Tries, printable
from uuutorrent.users import User, can_be_named

log = structlog.get_logger()

CLOSING = "the server is restarting: come back in a minute"
BROKE = "something broke on the server while you signed in; it was logged"
WRONG = "that is not right: look at the name, too"
TOO_MANY = "too many wrong passwords: begin again"
BUSY = "too many people are signing in just now: try again in a moment"
BY_KEY = "people sign in by key only here: with ssh"
VISITS, VISIT_S = 1000, 300.0
"""So many people may be in the middle of signing in, and for so long."""
LONGEST_NAME = 64
FORM_S = 10.0
"""How long the form itself may take to arrive."""


@dataclass(slots=True)
class Visit:
    """Somebody who is signing in."""

    name: str
    tries: Tries
    until: float


class Visits:
    """Those who are in the middle of it, by the hash of what their cookie holds."""

    def __init__(self) -> None:
        self._visits: OrderedDict[bytes, Visit] = OrderedDict()

    def take(self, secret: str) -> Visit | None:
        """The visit that this stands for, which is good once."""
        visit = self._visits.pop(hashed(secret), None)
        return visit if visit is not None and time.monotonic() < visit.until else None

    def keep(self, visit: Visit) -> str:
        """What stands for it from now on."""
        secret = secrets.token_urlsafe(32)
        self._visits[hashed(secret)] = visit
        while len(self._visits) > VISITS:
            self._visits.popitem(last=False)
        return secret


class Entrance:
    """Looks at what people fill in; whoever is let in has a session and the secret for its cookie."""

    def __init__(self, services: Services, sessions: Sessions, pages: Pages) -> None:
        self._services = services
        self._sessions = sessions
        self._pages = pages
        self._admission = Admission(services.config.ssh, services.penalties)
        self._delays = Delays()
        self._visits = Visits()
        self.checks: set[asyncio.Task[Any]] = set()
        """Sign-ins being looked at."""

    async def answer(
        self, request: web.Request, ip: str, secret: str
    ) -> tuple[web.Response, BrowserSession | None, str]:
        """What comes of a form that was sent from `ip`, with what the visitor's cookie held: the page to show, or who
        is signed in; and what a cookie is to hold: of the session, or of the visit that goes on."""
        source = source_of(ip)
        if why := self._admission.refusal(source):
            self._count(why)
            told = OnlyKeys(left).message if (left := self._services.penalties.left_s(source)) > 0 else BUSY
            return self._pages.sign_in(told=told, status=429), None, ""
        proved = False
        try:
            visit = await self._read(request, ip, self._visits.take(secret))
            answered = await self._look(visit, source)
            proved = answered[1] is not None
            if proved:
                self._admission.proved(source)
            return answered
        except (web.HTTPException, ConnectionError) as e:
            # No browser sends such a form, or half of one: it costs what it costs to come to the port for nothing.
            is_slow = isinstance(e, web.HTTPRequestTimeout)
            self._services.penalties.add(source, Offence.GRACE if is_slow else Offence.NO_AUTH)
            raise
        finally:
            self._admission.gone(source, proved=proved)

    async def _read(self, request: web.Request, ip: str, visit: Visit | None) -> tuple[Visit, str, bool]:
        """Who is signing in, what they gave, and whether that is a code."""
        if request.content_type != "application/x-www-form-urlencoded":
            raise web.HTTPUnsupportedMediaType
        try:
            async with asyncio.timeout(FORM_S):
                form = await request.post()
        except TimeoutError as e:
            raise web.HTTPRequestTimeout from e
        except (LookupError, UnicodeError) as e:  # no such encoding, or it is not in it
            raise web.HTTPBadRequest from e
        given = {key: value for key, value in form.items() if isinstance(value, str)}
        if visit is None:
            visit = Visit("", self._tries(ip), time.monotonic() + VISIT_S)
        if "code" in given:
            return visit, given["code"], True
        visit.name = given.get("name", "").strip()
        return visit, given.get("password", ""), False

    def _tries(self, ip: str) -> Tries:
        services = self._services
        tries = Tries(
            services.accounts, services.second_factors, services.tally, services.config.ssh, self._delays,
            door="browser", under_way=self.checks,
        )  # fmt: skip
        tries.ip = ip
        return tries

    async def _look(
        self, given: tuple[Visit, str, bool], source: Source
    ) -> tuple[web.Response, BrowserSession | None, str]:
        visit, answer, is_code = given
        tries = visit.tries
        try:
            if await self._is_right(visit, answer, source, is_code=is_code):
                return self._enters(visit, await tries.complete(visit.name), source)
        except UuuError as e:
            return self._trouble(visit, source, e)
        except Exception:  # the outermost handler of signing in
            log.exception("sign_in_crashed")
            self._count("trouble")
            return self._pages.sign_in(told=BROKE, status=500), None, ""
        if tries.awaits_code(visit.name):
            return self._pages.sign_in(asks="code"), None, self._visits.keep(visit)
        self._failed(visit, source)
        if tries.out_of_tries:
            self._count("passwords")
            return self._pages.sign_in(told=TOO_MANY, asks="", status=401), None, ""
        self._count("auth_failed")
        page = self._pages.sign_in(told=WRONG, name=visit.name[:LONGEST_NAME], status=401)
        return page, None, self._visits.keep(visit)

    async def _is_right(self, visit: Visit, answer: str, source: Source, *, is_code: bool) -> bool:
        """Raises UuuError if it could not be looked at, or is right and of no use."""
        if is_code:
            return await visit.tries.code(visit.name, answer, "browser")
        if not self._services.config.ssh.passwords:
            raise Refused(BY_KEY)
        try:
            self._services.penalties.check_password(source)
        except OnlyKeys:
            self._services.tally.count("browser_limits", "source_passwords")
            raise
        return await visit.tries.password(visit.name, answer, "browser")

    # What came of it

    def _enters(self, visit: Visit, user: User, source: Source) -> tuple[web.Response, BrowserSession | None, str]:
        """They are who they say; whether there is room is another thing."""
        ip = visit.tries.ip
        try:
            session, secret = self._sessions.begin(user, ip, with_code=visit.tries.gave_code)
        except Refused as e:
            self._note(visit, REFUSED, e.message)
            return self._pages.sign_in(told=e.message, status=403), None, ""
        self._services.penalties.welcome(source)
        how = "browser with a code" if session.here.proof.is_fresh() else "browser"
        self._services.audit.later(user, "sign-in", user.name, detail=how, source=ip)
        log.info("browser_signed_in", ip=ip, user=user.name)
        return web.Response(status=303, headers={"Location": "/"}), session, secret

    def _trouble(
        self, visit: Visit, source: Source, error: UuuError
    ) -> tuple[web.Response, BrowserSession | None, str]:
        """It ends with a sentence; what was not our doing costs the source something."""
        is_ours = isinstance(error, Crowded | OnlyKeys | RemoteError)
        self._count("trouble")
        log.warning("sign_in_trouble", ip=visit.tries.ip, why=error.message)
        if not is_ours:
            self._services.penalties.add(source, Offence.NO_AUTH)
        self._note(visit, FAILED if is_ours else REFUSED, error.message)
        status = 503 if isinstance(error, RemoteError) else 429 if is_ours else 403
        return self._pages.sign_in(told=error.message, status=status), None, ""

    def _failed(self, visit: Visit, source: Source) -> None:
        """Nothing was right: it costs what it costs at the port, and stands in the log for fail2ban."""
        tried = visit.tries.last_failure
        # The line by which fail2ban bans addresses: the address before the user name.
        log.info("browser_auth_failed", ip=visit.tries.ip, method="browser", user=printable(visit.name))
        since_s = 0.0 if tried is None else visit.tries.since_wrong_s
        self._services.penalties.add(source, tried.offence if tried else Offence.NO_AUTH, since_s=since_s)
        self._note(visit, FAILED)

    def _note(self, visit: Visit, outcome: str, why: str = "") -> None:
        """What is no name may be a password that was typed in its place: it is not noted."""
        name = visit.name if can_be_named(visit.name) else ""
        detail = f"browser {why}".strip()
        self._services.audit.later(None, "sign-in", name, outcome=outcome, detail=detail, source=visit.tries.ip)

    def _count(self, why: str) -> None:
        self._services.tally.count("browser_refused", why)
