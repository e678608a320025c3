"""The screens in a page: painted, typed at, left, and kept from doing harm."""

from __future__ import annotations

from tests.browser.site import Site, opened
from uuutorrent.desk import Services
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
