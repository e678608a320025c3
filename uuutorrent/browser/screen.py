"""The screens in a page: one app on the terminal that xterm.js is, until the person leaves or closes the page."""

from __future__ import annotations

import asyncio
import contextvars
import json
from collections.abc import Callable

import structlog
from aiohttp import WSMessage, WSMsgType, web
from textual import events

from uuutorrent.admission import Pace
from uuutorrent.browser.sessions import BrowserSession
from uuutorrent.browser.wire import CLOSE_S, SOCKET_BYTES, Wire
from uuutorrent.desk import Desk
from uuutorrent.tally import Tally
from uuutorrent.torrents.engine import InfoHash
from uuutorrent.tui.handover import in_turn
from uuutorrent.tui.shell import Shell
from uuutorrent.tui.terminal import Browser, Terminal, TerminalInfo

log = structlog.get_logger()

LARGEST_MESSAGE = 256 * 1024
"""Bytes that the page may send at once: a paste, as long as one is taken."""
MESSAGES_AT_ONCE, MESSAGES_PER_S = 500, 250.0
"""Messages that are taken in one go, and how many more each second: several times as many as a person makes with keys
and a mouse. Each costs us more than its sender."""
HEARTBEAT_S = 20.0
"""A page that is silent so long is asked whether it is still there, and has half as long to answer."""
PONGS_AT_ONCE = 5
"""Answers to that which may come together. Nothing else comes from a browser that a page does not send, and frames
without content would be taken in without any bound."""
CUT_S = 2.0
"""How long an app may take to end after its page is gone, or when it has to."""
CRASHED = "something broke on the server and ended this session; it was logged"
GARBAGE = 1008
"""Of what is not sent by our page. Source: RFC 6455, 7.4.1, policy violation."""

OpenApp = Callable[[Desk, Terminal], Shell]
"""Makes the screens of one page."""
LinkTo = Callable[[InfoHash, int, str], str]
"""The address of a file; see `Browser.link`."""


class BrowserScreen:
    """One page's screens."""

    def __init__(
        self,
        session: BrowserSession,
        tally: Tally,
        open_app: OpenApp,
        link: LinkTo,
        size: tuple[int, int],
    ) -> None:
        self._session = session
        self._tally = tally
        self._pace = Pace(MESSAGES_AT_ONCE, MESSAGES_PER_S)
        self._pongs = Pace(PONGS_AT_ONCE, 1 / HEARTBEAT_S)
        self._open_app = open_app
        self._info = TerminalInfo("xterm-256color", {"COLORTERM": "truecolor"}, *size)
        self._socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, autoping=False, max_msg_size=LARGEST_MESSAGE, compress=False, timeout=CLOSE_S
        )
        self._wire = Wire(self._socket, self._full, self._sent)
        self._terminal = Terminal(self._info, self._wire, Browser(self._browse, link))
        self._app: Shell | None = None
        self._showing: asyncio.Task[None] | None = None
        self._farewell: str | None = None

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Show the screens until the person leaves them, closes the page, or has to go."""
        await self._socket.prepare(request)
        if request.transport is not None:
            request.transport.set_write_buffer_limits(SOCKET_BYTES)
        loop, who = asyncio.get_running_loop(), self._session.user.name
        # A context of its own: Textual keeps its active app in one.
        self._showing = loop.create_task(self._show(), name=f"browser of {who}", context=contextvars.Context())
        sending = loop.create_task(self._wire.send(), name=f"browser of {who}, sending")
        self._showing.add_done_callback(self._over)
        try:
            await self._hear()
        finally:
            self.leave("")
            await asyncio.wait({self._showing, sending}, timeout=CUT_S + CLOSE_S)
            self._showing.cancel()
            sending.cancel()
            if request.transport is not None and not sending.done():
                request.transport.abort()
            await asyncio.wait({self._showing, sending})
        return self._socket

    def leave(self, sentence: str) -> None:
        """End, soon."""
        if self._farewell is None:
            self._farewell = sentence
            if self._app is not None:
                self._app.leave(sentence)
            if self._showing is not None:
                asyncio.get_running_loop().call_later(CUT_S, self._showing.cancel)

    def say(self, sentence: str) -> bool:
        """Show what the admins say; False: there is no app."""
        if self._app is None:
            return False
        self._app.announce(sentence)
        return True

    async def _show(self) -> None:
        """Run the app; who leaves it signs out."""
        broke, sentence = True, ""
        try:
            app = await in_turn(self._open_app(self._session.desk, self._terminal), self._shows)
            broke, sentence = app.broke, app.farewell
        except Exception:  # the outermost handler of this door
            log.exception("session_crashed", kind="browser", user=self._session.user.name)
        if broke:
            self._tally.count("session_crashes", "browser")
        if self._farewell is None:
            self._farewell = CRASHED if broke else sentence
            self._session.here.hang_up(self._farewell)

    def _over(self, _task: asyncio.Task[None]) -> None:
        """The app is gone, whichever way. The page shows the sign-in page once nobody is signed in any more."""
        self._app = None
        self._terminal.restore()
        if self._session.ended.is_set():
            self._wire.tell("open_url", {"url": "/signin", "new_tab": False})
        self._wire.finish()

    # What the page says

    async def _hear(self) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.PONG and self._pongs.allows():
                continue
            if message.type is not WSMsgType.TEXT or not self._heard(message):
                await self._socket.close(code=GARBAGE, message=b"this is not from our page")
                return
            if not self._pace.allows():
                self._tally.count("browser_limits", "input")
                await asyncio.sleep(1 / MESSAGES_PER_S)
            await self._wire.hears()

    def _heard(self, message: WSMessage) -> bool:
        """Whether it is something that our page says."""
        self._session.received += len(message.data)
        try:
            match json.loads(message.data):
                case ["stdin", str(keys)]:
                    self._session.asked()
                    if keys:
                        self._terminal.feed(keys.encode("utf-8", "replace"))
                case ["resize", {"width": int(width), "height": int(height)}]:
                    self._terminal.resized(width, height)
                case ["ping", str(token)] if len(token) <= 32:
                    self._wire.tell("pong", token)
                case ["focus" | "blur" as which]:
                    self._looks_away(which == "blur")
                case _:
                    return False
        except (ValueError, RecursionError):
            return False
        return True

    def _looks_away(self, away: bool) -> None:
        if self._app is not None:
            self._app.post_message(events.AppBlur() if away else events.AppFocus())

    # What the app says

    def _shows(self, app: Shell) -> None:
        self._app = app
        if self._farewell is not None:  # it had to go before it began
            app.call_later(app.leave, self._farewell)

    def _browse(self, url: str, new_tab: bool) -> None:
        if url.startswith(("https://", "http://", "/")):
            self._wire.tell("open_url", {"url": url, "new_tab": new_tab})

    def _sent(self, size: int) -> None:
        self._session.sent += size

    def _full(self, full: bool) -> None:
        if full:
            self._tally.count("browser_limits", "slow")
        self._terminal.set_blocked(full)
