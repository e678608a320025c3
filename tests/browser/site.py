"""The door for browsers over real services, and a browser that is told what to do."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.conftest import PASSWORD
from tests.ssh.port import PATIENCE_S, hello
from uuutorrent.browser.door import BrowserDoor, serve
from uuutorrent.browser.screen import OpenApp
from uuutorrent.desk import Services

OUTSIDE = "203.0.113.9"


@dataclass
class Answer:
    """What came back."""

    status: int
    text: str
    headers: Any

    @property
    def told(self) -> str:
        """What the page tells, if it does."""
        found = re.search(r'role="alert">([^<]*)<', self.text)
        return found[1] if found else ""

    @property
    def to(self) -> str:
        """Where the browser is sent."""
        return str(self.headers.get("Location", ""))


@dataclass
class Page:
    """A page with the screens: what was painted, and what it was told else."""

    socket: aiohttp.ClientWebSocketResponse
    seen: bytes = b""
    told: list[Any] = field(default_factory=list)

    async def sees(self, text: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            while text not in self.seen:
                assert await self.hears(), f"{text!r} never came: {self.seen!r}"
        return self.seen

    async def hears(self) -> bool:
        """Take in one message; False: it is closed."""
        message = await self.socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            self.seen += message.data
        elif message.type is aiohttp.WSMsgType.TEXT:
            self.told.append(message.json())
        else:
            return False
        return True

    async def says(self, *what: object) -> None:
        await self.socket.send_json(list(what))

    async def types(self, keys: str) -> None:
        await self.says("stdin", keys)

    async def ends(self) -> int | None:
        """Wait until it is closed; the code."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.hears():
                pass
        return self.socket.close_code

    @property
    def is_signed_out(self) -> bool:
        """Whether it was sent to the sign-in page."""
        return ["open_url", {"url": "/signin", "new_tab": False}] in self.told


@dataclass
class Browser:
    """Somebody's browser, with the cookies it was given. It comes from `ip`, through a proxy."""

    http: aiohttp.ClientSession
    base: str
    ip: str = ""
    origin: str | None = None
    """What it says of the page that asks; None: that it is ours."""

    def headers(self, **more: str) -> dict[str, str]:
        forwarded = {"X-Forwarded-For": self.ip} if self.ip else {}
        return {"Origin": self.base if self.origin is None else self.origin, **forwarded, **more}

    async def get(self, path: str, **headers: str) -> Answer:
        return await self._ask("GET", path, headers)

    async def post(self, path: str, headers: dict[str, str] | None = None, **form: str) -> Answer:
        return await self._ask("POST", path, headers or {}, data=form)

    async def sign_in(self, name: str, password: str = PASSWORD) -> Answer:
        return await self.post("/signin", name=name, password=password)

    @asynccontextmanager
    async def screens(self, query: str = "?width=80&height=24", **headers: str) -> AsyncGenerator[Page]:
        address = f"{self.base}/screen{query}"
        async with self.http.ws_connect(address, headers=self.headers(**headers), max_msg_size=0) as socket:
            yield Page(socket)

    async def refused_screens(self, **headers: str) -> int:
        """The status with which the screens are not given."""
        try:
            async with self.screens(**headers):
                return 101
        except aiohttp.WSServerHandshakeError as e:
            return e.status

    async def _ask(self, method: str, path: str, headers: dict[str, str], **more: Any) -> Answer:
        whole = {"headers": self.headers(**headers), "allow_redirects": False, **more}
        async with self.http.request(method, f"{self.base}{path}", **whole) as answer:
            return Answer(answer.status, await answer.text(), answer.headers)


@dataclass
class Site:
    """A running door."""

    services: Services
    door: BrowserDoor

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.door.port}"

    def counted(self, family: str, *labels: str) -> float:
        return self.services.tally.counters.get((family, labels), 0)

    @asynccontextmanager
    async def browser(self, ip: str = "", **options: Any) -> AsyncGenerator[Browser]:
        jar = aiohttp.CookieJar(unsafe=True)  # this machine has no name
        async with aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(PATIENCE_S)) as http:
            yield Browser(http, self.base, ip, **options)

    @asynccontextmanager
    async def signed_in(self, name: str, ip: str = "") -> AsyncGenerator[Browser]:
        async with self.browser(ip) as browser:
            answer = await browser.sign_in(name)
            assert (answer.status, answer.to) == (303, "/"), answer.told
            yield browser

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0.005)


@asynccontextmanager
async def opened(services: Services, open_app: OpenApp | None = hello) -> AsyncGenerator[Site]:
    async with serve(services, open_app=open_app) as door:
        yield Site(services, door)
