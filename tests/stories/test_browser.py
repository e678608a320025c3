"""The door for browsers, with a real one: sign in, watch a download arrive, save it, sign out; what strangers get."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.ports import free_port
from tests.servers.chromium import Chromium, Page, chromium
from tests.stories.conftest import SLOW_BPS, Town, settled
from tests.stories.hatchery import Hatchery

pytestmark = pytest.mark.real

TITLE = "Sousou no Frieren"
RELEASE = f"[SubsPlease] {TITLE} - 05 (1080p) [6EB72DA5]"
PASSWORD = "seven brass kettles hum"
SIZE = 2_500_000
TRY_SOCKET = """new Promise((tell) => {{
    const socket = new WebSocket("ws://{at}/screen?width=80&height=24");
    socket.onopen = () => tell("open");
    socket.onerror = () => tell("refused");
}})"""
NOTE_LINKS = """
    window.links = [];
    const open = window.open;
    window.open = (url, ...more) => { window.links.push(url); return open(url, ...more); };
"""
HURRY = "const wait = setInterval; window.setInterval = (f, ms, ...more) => wait(f, ms / 10, ...more);"
TRY_READING = """fetch("http://{at}{path}", {{credentials: "include", mode: "{mode}"}})
    .then((answer) => answer.text()).then((text) => `read ${{text.length}}`, () => "refused")"""


async def test_an_evening_in_a_browser(tmp_path: Path, hatchery: Hatchery) -> None:
    at = f"127.0.0.1:{free_port()}"
    extra = f"[browser]\nenabled = true\nport = {at.rpartition(':')[2]}"
    with settled(tmp_path, hatchery, extra=extra) as town:
        async with chromium(tmp_path / "chromium") as browser, aiohttp.ClientSession() as outside:
            made = town.release(RELEASE, SIZE, limit_bps=SLOW_BPS)
            await asyncio.to_thread(moves_in, town)
            page = await signs_in(browser, at)
            await page.shows(TITLE, "1 behind")
            link = await watches_and_saves(page, made.files[made.name])
            cookies = await page.cookies()

            await foreign_pages_get_nothing(browser, page, at, link)
            stranger = await browser.new_page(f"http://{at}{link}", alone=True)
            await stranger.says("Sign in first")
            assert await asks(outside, f"http://{at}{link}", cookies) == (200, len(made.files[made.name]))

            await who_hears_nothing_says_so(browser, town, at)
            await page.type("q")
            await page.says("Sign in")
            await goes_back(page)
            assert (await asks(outside, f"http://{at}{link}", cookies))[0] == 403
            async with outside.get(f"http://{at}/", headers={"Cookie": cookies}, allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (303, "/signin")
            await page.go(f"http://{at}/")
            await page.says("Password")
            await breaks_the_protocol(at, cookies)
            for secret in (*(one.partition("=")[2] for one in cookies.split("; ")), PASSWORD, link.split("/")[2]):
                assert secret not in town.house.log


def moves_in(town: Town) -> None:
    town.anilist.list_entry(town.moves_in("ann"), town.airs(TITLE, aired=5), progress=4)
    town.house.uuutorrent("user", "passwd", "ann", "--password-stdin", given=f"{PASSWORD}\n")


async def signs_in(browser: Chromium, at: str) -> Page:
    """Wrongly first, and then rightly."""
    page = await browser.new_page(f"http://{at}/")
    await page.fill("#name", "ann")
    await page.fill("#password", "plain guess")
    await page.type("\r")
    await page.says("that is not right")
    await page.fill("#password", PASSWORD)
    await page.type("\r")
    return page


async def watches_and_saves(page: Page, content: bytes) -> str:
    """Fetch the next episode, see it come, and have the browser save it; returns the link that it was saved by."""
    await page.run(NOTE_LINKS)
    await page.type("\r")
    await page.shows("[SubsPlease]", "link")
    await page.type("2")
    await page.shows(TITLE, "downloading")
    await page.shows(TITLE, "100 %", "D Download")
    await page.type("D")
    await page.shows("Your browser saves")
    file = await page.browser.has_saved(f"{RELEASE}.mkv")
    assert hashlib.sha256(file.read_bytes()).digest() == hashlib.sha256(content).digest()
    (link,) = await page.run("window.links")
    assert link.startswith("/files/")
    return str(link)


async def foreign_pages_get_nothing(browser: Chromium, page: Page, at: str, link: str) -> None:
    """A page on another port of this machine: the cookie comes along there, and it is of no use."""
    assert await page.run(TRY_SOCKET.format(at=at)) == "open"
    assert str(await page.run(TRY_READING.format(at=at, path="/", mode="cors"))).startswith("read ")
    async with foreign_site() as url:
        foreign = await browser.new_page(url)
        assert await foreign.run(TRY_SOCKET.format(at=at)) == "refused"
        for path in ("/", link):
            for mode in ("cors", "no-cors"):
                assert await foreign.run(TRY_READING.format(at=at, path=path, mode=mode)) == "refused", (path, mode)


async def who_hears_nothing_says_so(browser: Chromium, town: Town, at: str) -> None:
    """As when the network is gone: nobody hangs up. A page whose clock runs ten times as fast needs seconds for it."""
    assert town.house.process is not None
    page = await browser.new_page(f"http://{at}/nowhere")
    await page.tell("Page.addScriptToEvaluateOnNewDocument", source=HURRY)
    await page.go(f"http://{at}/")
    await page.shows(TITLE)
    town.house.process.send_signal(signal.SIGSTOP)
    try:
        await page.says("The connection is gone")
    finally:
        town.house.process.send_signal(signal.SIGCONT)
    await page.run("document.querySelector('.closed a').click()")
    await page.shows(TITLE)


async def goes_back(page: Page) -> None:
    """Whoever sits down after somebody signed out, and presses the button for it."""
    await page.run("history.back()")
    await asyncio.sleep(0.5)
    await page.settles()
    await page.says("Sign in")
    assert not await page.look("Boolean(document.querySelector('#terminal'))")


async def breaks_the_protocol(at: str, cookies: str) -> None:
    """As a proxy that is not quite right might: what cannot be read may hold what nobody is to read."""
    host, _, port = at.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET / HTTP/1.1\r\nHost: {at}\r\nCookie: {cookies}\0\r\n\r\n".encode())
    assert b" 400 " in await reader.readline()
    writer.close()


@asynccontextmanager
async def foreign_site() -> AsyncIterator[str]:
    """Somebody else's site on this machine."""
    app = web.Application()
    app.router.add_get("/", _page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def _page(_request: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>elsewhere</title>", content_type="text/html")


async def asks(outside: aiohttp.ClientSession, url: str, cookies: str) -> tuple[int, int]:
    """How a link is answered to whoever has these cookies, and with how many bytes."""
    async with outside.get(url, headers={"Cookie": cookies}) as answer:
        return answer.status, len(await answer.read())
