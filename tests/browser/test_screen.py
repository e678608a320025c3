"""The screens in a page: painted, typed at, left, and kept from doing harm."""

from __future__ import annotations

import asyncio

import pytest

from tests.browser.site import Page, Site, opened
from tests.ssh.port import hello
from uuutorrent.browser.screen import CRASHED, GARBAGE, LARGEST_MESSAGE, BrowserScreen
from uuutorrent.browser.wire import HIGH_WATER
from uuutorrent.desk import Desk, Services
from uuutorrent.tui.shell import Shell
from uuutorrent.tui.terminal import Terminal
from uuutorrent.users import User


async def test_whoever_signs_in_has_the_screens_of_their_own(site: Site, ann: User) -> None:
    async with site.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"hello ann on 80x24")


async def test_they_are_those_that_ssh_shows(services: Services, ann: User) -> None:
    async with opened(services, None) as site, site.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"Watchlist")


async def test_whoever_quits_is_signed_out_and_sent_to_the_sign_in_page(site: Site, ann: User) -> None:
    async with site.signed_in("ann") as browser:
        async with browser.screens() as page:
            await page.sees(b"hello")
            await page.types("q")
            await page.ends()
        assert page.is_signed_out
        assert (await browser.get("/")).to == "/signin"
        assert await browser.refused_screens() == 401


async def test_reloading_the_page_begins_anew_in_the_same_session(site: Site, ann: User) -> None:
    async with site.signed_in("ann") as browser:
        for _ in range(2):
            async with browser.screens() as page:
                await page.sees(b"hello ann")
        assert len(site.door.sessions.every) == 1
        assert site.counted("sessions", "browser") == 2


async def test_it_follows_the_window(site: Site, ann: User) -> None:
    async with site.signed_in("ann") as browser, browser.screens("?width=100&height=30") as page:
        await page.sees(b"100x30")
        await page.says("resize", {"width": 120, "height": 40})
        await page.sees(b"120x40")
        await page.says("resize", {"width": 2**31, "height": 2**31})
        await page.sees(b"500x200")


@pytest.mark.parametrize("query", ["", "?width=x&height=-1", "?width=999999999&height=0", "?width=%00&height=٣"])
async def test_a_size_that_is_none_is_the_usual_one(site: Site, ann: User, query: str) -> None:
    async with site.signed_in("ann") as browser, browser.screens(query) as page:
        await page.sees(b"hello ann on 80x24")


async def test_an_address_is_opened_by_the_browser(services: Services, ann: User) -> None:
    def linking(desk: Desk, terminal: Terminal) -> Shell:
        app = hello(desk, terminal)
        app.call_later(app.open_url, "https://anilist.co/")
        app.call_later(app.open_url, "javascript:alert(1)")
        return app

    async with opened(services, linking) as site, site.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"hello")
        await page.types("q")
        await page.ends()
    addresses = [what["url"] for kind, what in page.told if kind == "open_url"]
    assert addresses == ["https://anilist.co/", "/signin"]


async def test_what_breaks_ends_that_session_and_is_told(site: Site, ann: User, bob: User) -> None:
    async with site.signed_in("ann") as browser, site.signed_in("bob") as other, other.screens() as theirs:
        await theirs.sees(b"hello bob")
        async with browser.screens() as page:
            await page.sees(b"hello")
            await page.types("b")
            await page.ends()
        assert (await browser.get("/signin")).told == CRASHED
        await theirs.says("resize", {"width": 90, "height": 24})
        await theirs.sees(b"90x24")
    assert site.counted("session_crashes", "browser") == 1


async def test_an_app_that_hangs_is_cut_off(site: Site, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uuutorrent.browser.screen.CUT_S", 0.2)
    async with site.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"hello")
        await page.types("h")
        await page.sees(b"\a")
        await browser.post("/signout")
        await page.ends()
        assert page.is_signed_out


# What is not from our page


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '"stdin"',
        '["stdin"]',
        '["stdin", 1]',
        '["stdin", ["x"]]',
        '["resize", {"width": "80", "height": 24}]',
        '["resize", 80]',
        '["ping", {}]',
        '["exit"]',
        '["stdin", "x", "y"]',
        "[" * 5000,
        '["stdin", "\\ud800"]x',
    ],
)
async def test_garbage_closes_the_page_and_nothing_else(site: Site, ann: User, garbage: str) -> None:
    async with site.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"hello")
        await page.socket.send_str(garbage)
        assert await page.ends() == GARBAGE
        assert (await browser.get("/")).status == 200
    assert site.counted("session_crashes", "browser") == 0


async def test_bytes_and_frames_that_are_too_large_close_it_too(site: Site, ann: User) -> None:
    async with site.signed_in("ann") as browser:
        async with browser.screens() as page:
            await page.socket.send_bytes(b'["stdin", "q"]')
            assert await page.ends() == GARBAGE
        async with browser.screens() as page:
            await page.types("x" * LARGEST_MESSAGE)
            assert await page.ends() == 1009
        assert (await browser.get("/")).status == 200


@pytest.mark.parametrize("frame", [b"\x89", b"\x8a"], ids=["ping", "pong"])
async def test_frames_that_no_page_sends_close_it_before_they_pile_up(site: Site, ann: User, frame: bytes) -> None:
    async with site.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"hello")
        connection = page.socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.write((frame + b"\x80" + bytes(4)) * 50_000)
        await site.until(lambda: not site.door.sessions.every[0].pages)
        assert (await browser.get("/")).status == 200


async def test_half_a_character_is_typed_as_what_it_is_not(site: Site, ann: User) -> None:
    async with site.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"hello")
        await page.socket.send_str('["stdin", "\\ud800"]')
        await page.says("resize", {"width": 90, "height": 24})
        await page.sees(b"90x24")


async def test_without_a_websocket_there_are_no_screens(site: Site, ann: User) -> None:
    async with site.signed_in("ann") as browser:
        assert (await browser.get("/screen")).status == 400


async def test_without_a_cookie_there_are_no_screens(site: Site, ann: User) -> None:
    async with site.browser() as browser:
        assert await browser.refused_screens() == 401
    assert site.counted("browser_refused", "no_session") == 1


# Who sends much, and who reads nothing


async def test_a_flood_of_messages_keeps_nobody_else_waiting(site: Site, ann: User, bob: User) -> None:
    loop = asyncio.get_running_loop()
    async with site.signed_in("ann") as browser, browser.screens() as flooding:
        await flooding.sees(b"hello")
        flood = asyncio.create_task(_flood(flooding))
        reading = asyncio.create_task(flooding.ends())
        await site.until(lambda: site.counted("browser_limits", "input"))
        async with site.signed_in("bob") as other, other.screens() as page:
            await page.sees(b"hello bob")
            took_s = []
            for width in range(81, 101):
                began = loop.time()
                await page.says("resize", {"width": width, "height": 24})
                await page.sees(f"on {width}x24".encode())
                took_s.append(loop.time() - began)
        flood.cancel()
        reading.cancel()
        await asyncio.wait({flood, reading})
    assert sorted(took_s)[len(took_s) // 2] < 0.25


async def _flood(page: Page) -> None:
    """As many of them as the connection takes, of which each is ready to be sent."""
    connection = page.socket._response.connection
    assert connection is not None
    assert connection.transport is not None
    text = b'["ping","1"]'
    frames = (b"\x81" + bytes([0x80 | len(text)]) + bytes(4) + text) * 3000  # masked with zeros
    while True:
        if connection.transport.get_write_buffer_size() == 0:
            connection.transport.write(frames)
        await asyncio.sleep(0.002)


async def test_who_reads_nothing_costs_little_and_sees_the_newest_in_the_end(site: Site, ann: User) -> None:
    async with site.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"hello")
        (screen,) = site.door.sessions.every[0].pages
        assert isinstance(screen, BrowserScreen)
        terminal = screen._terminal
        for turn in range(3000):
            terminal.write("x" * 1000)
            if turn % 100 == 0:
                await asyncio.sleep(0)
            if terminal.blocked:
                break
        assert screen._wire._size in range(HIGH_WATER, 2 * HIGH_WATER)
        await page.says("resize", {"width": 90, "height": 24})
        await page.sees(b"on 90x24")
        await site.until(lambda: not terminal.blocked)
    assert site.counted("browser_limits", "slow") >= 1
