"""The door for browsers: a port on which a page shows the same screens that `ssh` shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import NoReturn

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from uuutorrent.automation.every import Job, every
from uuutorrent.browser import pages
from uuutorrent.browser.downloads import Downloads
from uuutorrent.browser.entrance import CLOSING, Entrance
from uuutorrent.browser.links import Links
from uuutorrent.browser.pages import Pages
from uuutorrent.browser.screen import CUT_S, BrowserScreen, OpenApp
from uuutorrent.browser.sessions import BrowserSession, Sessions
from uuutorrent.browser.way import Way, add_headers
from uuutorrent.desk import Services
from uuutorrent.errors import BadConfig, RemoteError
from uuutorrent.presence import gone, outstays
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.pace import Studio

log = structlog.get_logger()

MOST_PAGES = 4
"""Open at the same time in one browser; the next one ends the oldest."""
LARGEST_FORM = 16 * 1024
LOOK_EVERY_S, LOOK_DEADLINE_S = 20.0, 10.0
"""How often it is looked who may not be here any more, and how long that may take: together half a minute."""
LOOK_SENT_S = 0.05
"""While the server stops: how often it is looked whether all files are sent."""
HANG_UP_S = 0.3
"""How long pages may take to close once their screens are over."""


class BrowserDoor:
    """The port while it is open, and who is signed in on it. `application` is what answers."""

    def __init__(self, services: Services, open_app: OpenApp) -> None:
        self.services = services
        self.way = Way(services.config.browser)
        self.sessions = Sessions(services)
        self.port = 0
        self._open_app = open_app
        self._pages = Pages()
        self._entrance = Entrance(services, self.sessions, self._pages)
        self._links = Links()
        self._closing = False
        self._turn = asyncio.Lock()
        self.application = web.Application(client_max_size=LARGEST_FORM, middlewares=[self._answer])
        self.application.on_response_prepare.append(add_headers)
        self.application.add_routes(
            [
                web.get("/", self._page),
                web.get("/signin", self._form),
                web.post("/signin", self._sign_in),
                web.post("/signout", self._sign_out),
                web.get("/screen", self._screen),
                *Downloads(self.session_of, self._links).routes(),
                *pages.routes(),
            ]
        )

    # What the daemon asks for

    def open_pages(self) -> int:
        """Pages with the screens that are open now."""
        return sum(len(session.pages) for session in self.sessions.every)

    async def send_away(self) -> None:
        """End the sessions of everybody who could not come again, would come as somebody else, or does nothing."""
        self.sessions.end_idle()
        here = {session: session.signed_in for session in self.sessions.every}
        if not here:
            return
        now = await self.services.accounts.still_here(set(here.values()))
        for session, signed_in in here.items():
            if why := outstays(signed_in, session.user, now.get(signed_in)):
                log.info("browser_sent_away", ip=session.here.ip, user=session.user.name, why=why)
                self.sessions.end(session, why)

    async def drain(self, grace_s: float) -> None:
        """Take nobody new, end everybody's screens with a sentence, and give files being sent `grace_s` to finish."""
        self._end_screens()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                while any(session.open for session in self.sessions.every):  # noqa: ASYNC110 - it ends within seconds
                    await asyncio.sleep(LOOK_SENT_S)

    async def close(self) -> None:
        """End what is left."""
        self._end_screens()
        for session in self.sessions.every:
            self.sessions.end(session, CLOSING)
        if self._entrance.checks:
            await asyncio.wait(self._entrance.checks, timeout=CUT_S)

    def _end_screens(self) -> None:
        self._closing = True
        for session in self.sessions.every:
            for page in tuple(session.pages):
                page.leave(CLOSING)

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let one begin at a time, and everybody else on this daemon do something in between: whoever asks over many
        connections as fast as they can would have as many turns as they have connections.

        What breaks is logged here. aiohttp would log what strangers send, too, cookies and all, and is not heard.
        """
        async with self._turn:
            await asyncio.sleep(0)
        try:
            return await handler(request)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception:  # the outermost handler of a request
            log.exception("browser_request_crashed")
            raise

    # Signing in and out

    async def _form(self, request: web.Request) -> web.Response:
        self.way.ip_of(request)
        if self.session_of(request) is not None:
            return _to("/")
        answer = self._pages.sign_in(told=self.sessions.farewell(self._cookie(request, "session")))
        self._forget(answer, "session")
        return answer

    async def _sign_in(self, request: web.Request) -> web.Response:
        ip = self.way.ip_of(request)
        self._check_origin(request)
        if self._closing:
            self._refused("closing")
            return self._pages.sign_in(told=CLOSING, status=503)
        before = self.session_of(request)
        answer, session, secret = await self._entrance.answer(request, ip, self._cookie(request, "visit"))
        if session is None:
            if secret:
                self._keep(answer, "visit", secret)
            else:
                self._forget(answer, "visit")
            return answer
        if before is not None:
            self.sessions.end(before)
        self._forget(answer, "visit")
        self._keep(answer, "session", secret)
        return answer

    async def _sign_out(self, request: web.Request) -> web.Response:
        self.way.ip_of(request)
        self._check_origin(request)
        session = self.session_of(request)
        if session is not None:
            self.sessions.end(session)
        answer = _to("/signin")
        self._forget(answer, "session")
        return answer

    # The screens

    async def _page(self, request: web.Request) -> web.Response:
        self.way.ip_of(request)
        if self.session_of(request) is None:
            return _to("/signin")
        return self._pages.screen(self.way.websocket(request, "/screen"))

    async def _screen(self, request: web.Request) -> web.StreamResponse:
        self.way.ip_of(request)
        self._check_origin(request)
        session = self.session_of(request)
        if session is None:
            self._refused("no_session")
            raise web.HTTPUnauthorized(text="sign in first\n")
        if not request.headers.get("Upgrade"):
            raise web.HTTPBadRequest(text="this is for a websocket\n")
        if not session.pace.allows():
            self.services.tally.count("browser_limits", "pages")
            raise web.HTTPTooManyRequests(text="too many pages in a short time: wait a moment\n")
        await self._renew(session)
        while len(session.pages) >= MOST_PAGES:
            self.services.tally.count("browser_limits", "pages")
            session.pages.pop(0).leave("")
        session.asked()
        size = _number(request, "width"), _number(request, "height")
        link = self._links.for_(session)
        screen = BrowserScreen(session, self.services.tally, self._open_app, link, size)
        session.pages.append(screen)
        self.services.tally.count("sessions", "browser")
        try:
            return await screen.serve(request)
        finally:
            if screen in session.pages:
                session.pages.remove(screen)

    async def _renew(self, session: BrowserSession) -> None:
        """Look who they are by now."""
        try:
            user = (await self.services.accounts.still_here([session.signed_in])).get(session.signed_in)
        except RemoteError as e:
            raise web.HTTPServiceUnavailable(text=f"{e.message}\n") from e
        if user is None:
            self.sessions.end(session, gone(session.signed_in))
        if user is None or session.ended.is_set():
            self._refused("no_session")
            raise web.HTTPUnauthorized(text="sign in first\n")
        session.is_now(user)

    # Cookies

    def _cookie(self, request: web.Request, which: str) -> str:
        return request.cookies.get(self._name(which), "")

    def _keep(self, answer: web.Response, which: str, secret: str) -> None:
        answer.set_cookie(
            self._name(which), secret, path="/", httponly=True, samesite="Strict", secure=self.way.is_secure
        )

    def _forget(self, answer: web.Response, which: str) -> None:
        answer.del_cookie(self._name(which), path="/", httponly=True, samesite="Strict", secure=self.way.is_secure)

    def _name(self, which: str) -> str:
        # Source: RFC 6265bis, 4.1.3.2: with this prefix no other host and nothing without TLS can set it.
        return f"__Host-{which}" if self.way.is_secure else f"uuutorrent-{which}"

    def session_of(self, request: web.Request) -> BrowserSession | None:
        """Who is signed in where this comes from."""
        return self.sessions.of(self._cookie(request, "session"))

    def _check_origin(self, request: web.Request) -> None:
        if not self.way.is_ours(request):
            self._refused("origin")
            self._turn_away()

    def _refused(self, why: str) -> None:
        self.services.tally.count("browser_refused", why)

    def _turn_away(self) -> NoReturn:
        raise web.HTTPForbidden(text="this was not asked by a page of ours\n")


@asynccontextmanager
async def serve(services: Services, *, open_app: OpenApp | None = None) -> AsyncGenerator[BrowserDoor]:
    """Answer on the port while the context is open. Call `drain` before leaving it, to tell people.

    Raises:
        BadConfig: the port cannot be had.
    """
    settings, studio = services.config.browser, Studio()
    door = BrowserDoor(services, open_app or (lambda desk, terminal: UuuApp(desk, terminal, studio)))
    runner = web.AppRunner(door.application, access_log=None, shutdown_timeout=HANG_UP_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port)
        try:
            await site.start()
        except OSError as e:
            raise BadConfig.no_port("browser", settings.host, settings.port, e) from e
        door.port = runner.addresses[0][1]
        log.info("browser_listens", host=settings.host, port=door.port)
        look = Job("browsers", LOOK_EVERY_S, LOOK_DEADLINE_S, door.send_away)
        looking = asyncio.create_task(every(look, services.tally), name="who is still here with a browser")
        try:
            yield door
        finally:
            looking.cancel()
            await door.close()
            await asyncio.wait({looking})
    finally:
        await runner.cleanup()


def _to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})


def _number(request: web.Request, which: str) -> int:
    text = request.query.get(which, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
