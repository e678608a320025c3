"""How long one is signed in with a browser, how often, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from tests.browser.site import Browser, Site, opened
from tests.clock import Clock
from tests.conftest import PASSWORD
from tests.people import OTHER
from uuutorrent.accounts import Accounts, Admin, User
from uuutorrent.admission import Pace
from uuutorrent.browser.door import MOST_PAGES
from uuutorrent.browser.entrance import CLOSING
from uuutorrent.browser.sessions import FULL, IDLE, OVER, BrowserSession
from uuutorrent.desk import DELETED, DISABLED, Desk, Services
from uuutorrent.penalties import source_of
from uuutorrent.presence import ENDED, ENDED_BY_ADMIN, GONE, PASSWORD_RESET, ROLE_CHANGED


@pytest.fixture
async def clocked(site: Site, clock: Clock) -> Site:
    """A door whose sessions go by a clock that the test sets."""
    site.door.sessions._clock = clock
    return site


@pytest.fixture
def clock() -> Clock:
    return Clock()


def the_session(site: Site) -> BrowserSession:
    (session,) = site.door.sessions.every
    return session


async def is_out(browser: Browser) -> str:
    """That nobody is signed in there any more; what the sign-in page tells about it."""
    assert (await browser.get("/")).to == "/signin"
    assert await browser.refused_screens() == 401
    return (await browser.get("/signin")).told


async def test_signing_out_makes_a_cookie_that_somebody_kept_worth_nothing(site: Site, ann: User) -> None:
    async with site.signed_in("ann") as browser, site.browser() as thief:
        thief.http.cookie_jar.update_cookies({cookie.key: cookie.value for cookie in browser.http.cookie_jar})
        assert (await thief.get("/")).status == 200
        assert (await browser.post("/signout")).to == "/signin"
        assert await is_out(thief) == ""
    assert site.services.presence.of(ann) == ()


async def test_a_foreign_page_signs_nobody_out(site: Site, ann: User) -> None:
    async with site.signed_in("ann") as browser:
        browser.origin = "https://elsewhere.example"
        assert (await browser.post("/signout")).status == 403
        assert (await browser.get("/")).status == 200


@pytest.mark.parametrize("settings", [{"browser": {"idle_s": 600}}])
async def test_whoever_asks_for_nothing_is_signed_out_in_the_end(clocked: Site, clock: Clock, ann: User) -> None:
    async with clocked.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"hello")
        clock.move(599)
        await page.types("x")
        await clocked.until(lambda: the_session(clocked).asked_at == clock())
        clock.move(599)
        await clocked.door.send_away()
        assert the_session(clocked).pages
        clock.move(2)
        await clocked.door.send_away()
        await page.ends()
        assert page.is_signed_out
        assert await is_out(browser) == IDLE
    assert clocked.counted("browser_limits", "idle") == 1


@pytest.mark.parametrize("settings", [{"browser": {"idle_s": 600, "lifetime_s": 1000}}])
async def test_nobody_is_signed_in_for_longer_than_one_may_be(clocked: Site, clock: Clock, ann: User) -> None:
    async with clocked.signed_in("ann") as browser:
        for _ in range(2):
            clock.move(501)
            the_session(clocked).asked()
        await clocked.door.send_away()
        assert await is_out(browser) == OVER


async def test_a_page_that_only_stays_open_keeps_nobody_signed_in(clocked: Site, clock: Clock, ann: User) -> None:
    async with clocked.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"hello")
        clock.move(4000)
        for what in (("ping", "1"), ("resize", {"width": 90, "height": 30}), ("focus",)):
            await page.says(*what)
        await page.sees(b"90x30")
        await clocked.door.send_away()
        await page.ends()
        assert page.is_signed_out


# What ends it from elsewhere

End = Callable[[Desk, Admin, Accounts, User], Awaitable[object]]


async def _ended_by_an_admin(desk: Desk, boss: Admin, _accounts: Accounts, ann: User) -> None:
    (here,) = desk.presence.of(ann)
    desk.presence.end_for(boss, here.id)


async def _ended_elsewhere(desk: Desk, _boss: Admin, _accounts: Accounts, ann: User) -> None:
    desk.presence.end_others(type(desk.here)(ann))


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (lambda desk, boss, accounts, ann: desk.disable(boss, "ann"), DISABLED),
        (lambda desk, boss, accounts, ann: desk.delete(boss, "ann"), DELETED),
        (_ended_by_an_admin, ENDED_BY_ADMIN),
        (_ended_elsewhere, ENDED),
        # By another daemon, or the operator: it is seen at the next look.
        (lambda desk, boss, accounts, ann: accounts.disable(boss, "ann"), GONE),
        (lambda desk, boss, accounts, ann: accounts.set_role(boss, "ann", "admin"), ROLE_CHANGED),
        (lambda desk, boss, accounts, ann: accounts.reset_password(boss, "ann"), PASSWORD_RESET),
    ],
)
async def test_it_ends_as_those_of_the_port_do(
    site: Site, ann: User, boss: Admin, accounts: Accounts, end: End, told: str
) -> None:
    async with site.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"hello")
        await end(site.services.desk(boss.user), boss, accounts, ann)
        await site.door.send_away()
        await page.ends()
        assert page.is_signed_out
        assert await is_out(browser) == told


async def test_whoever_is_disabled_gets_no_new_page_even_before_anybody_looks(
    site: Site, ann: User, boss: Admin, accounts: Accounts
) -> None:
    async with site.signed_in("ann") as browser:
        await accounts.disable(boss, "ann")
        assert await browser.refused_screens() == 401
        assert await is_out(browser) == GONE


async def test_changing_the_password_elsewhere_leaves_it_open_as_it_does_at_the_port(
    site: Site, ann: User, accounts: Accounts
) -> None:
    async with site.signed_in("ann") as browser:
        await accounts.set_password(ann, PASSWORD, OTHER)
        await site.door.send_away()
        assert (await browser.get("/")).status == 200


# Who is here


async def test_it_is_among_the_sessions_that_people_see(site: Site, ann: User) -> None:
    async with site.signed_in("ann", "203.0.113.9") as browser:
        (here,) = site.services.presence.of(ann)
        assert (here.ip, here.method, here.activity().doors) == ("203.0.113.9", "browser", ("browser",))
        async with browser.screens() as page, browser.screens() as other:
            await page.sees(b"hello")
            await other.sees(b"hello")
            assert here.activity().doors == ("browser", "browser")
            assert here.say("be back at six")
            await page.sees(b"be back at six")
            await other.sees(b"be back at six")
            await page.types("x")
            await site.until(lambda: here.activity().received)
            assert here.activity().sent > 100
        await site.until(lambda: not the_session(site).pages)
        assert not here.say("anybody there?")


# How many


@pytest.mark.parametrize("settings", [{"browser": {"sessions_per_user": 2}}])
async def test_one_has_so_many_and_those_without_a_page_make_room(site: Site, ann: User) -> None:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(site.signed_in("ann"))
        second = await stack.enter_async_context(site.signed_in("ann"))
        third = await stack.enter_async_context(site.browser())
        await (await stack.enter_async_context(first.screens())).sees(b"hello")
        assert (await third.sign_in("ann")).status == 303
        assert await is_out(second) == ""
        await (await stack.enter_async_context(third.screens())).sees(b"hello")
        answer = await second.sign_in("ann")
        assert site.services.penalties.left_s(source_of("127.0.0.1")) == 0
        assert site.counted("browser_refused", "trouble") == 0
        assert (answer.status, site.counted("browser_refused", "user_limit")) == (403, 1)
        assert "signed in with 2 browsers" in answer.told
        assert (await first.get("/")).status == 200


@pytest.mark.parametrize("settings", [{"browser": {"sessions": 1}}])
async def test_there_are_so_many_in_all(site: Site, ann: User, bob: User) -> None:
    async with site.signed_in("ann"), site.browser() as browser:
        assert (await browser.sign_in("bob")).told == FULL


async def test_a_page_too_many_ends_the_oldest(site: Site, ann: User) -> None:
    async with site.signed_in("ann") as browser, browser.screens() as oldest, AsyncExitStack() as stack:
        await oldest.sees(b"hello")
        for _ in range(MOST_PAGES):
            page = await stack.enter_async_context(browser.screens())
            await page.sees(b"hello")
        await oldest.ends()
        assert not oldest.is_signed_out
        assert len(the_session(site).pages) == MOST_PAGES


async def test_pages_are_not_opened_without_end(site: Site, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    async with site.signed_in("ann") as browser:
        the_session(site).pace = Pace(2, 0.001)
        assert [await browser.refused_screens() for _ in range(3)] == [101, 101, 429]
    assert site.counted("browser_limits", "pages") == 1


async def test_signing_in_again_ends_what_was_open_in_that_browser(site: Site, ann: User, bob: User) -> None:
    async with site.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"hello ann")
        assert (await browser.sign_in("bob")).status == 303
        await page.ends()
    assert the_session(site).user.name == "bob"


# The end of the server


async def test_when_the_server_stops_everybody_is_told_and_nobody_comes_in(services: Services, ann: User) -> None:
    async with opened(services) as site, site.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"hello")
        await site.door.drain(1)
        await page.ends()
        async with site.browser() as other:
            assert (await other.sign_in("ann")).told == CLOSING


async def test_it_stops_soon_whoever_is_there(services: Services, ann: User) -> None:
    async with opened(services) as site, site.signed_in("ann") as browser:
        sockets = [await browser.http.ws_connect(f"{browser.base}/screen", headers=browser.headers()) for _ in range(3)]
        began = asyncio.get_running_loop().time()
        await site.door.close()
        assert not site.services.presence.of(ann)
    assert asyncio.get_running_loop().time() - began < 4
    assert len(sockets) == 3
