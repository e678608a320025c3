"""Signing in with a browser: the rules are those of the SSH port, and what anybody is told too."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from tests.browser.site import OUTSIDE, Browser, Site, opened
from tests.conftest import PASSWORD
from tests.people import OTHER
from tests.test_secondfactors import code_of
from uuutorrent.accounts import WAITS, Accounts, Admin, User
from uuutorrent.browser.entrance import BUSY, BY_KEY, TOO_MANY, WRONG
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.desk import Services
from uuutorrent.factors import Proof
from uuutorrent.passwords import Crowded
from uuutorrent.penalties import Offence, OnlyKeys, source_of
from uuutorrent.secondfactors import WRONG_CODES
from uuutorrent.signup import Newcomer

HERE = source_of("127.0.0.1")


@pytest.fixture
async def secret(services: Services, ann: User) -> str:
    """Of the second factor that ann has."""
    begun = await services.second_factors.begin(ann)
    await services.second_factors.confirm(ann, code_of(begun.secret, -1), Proof())
    return begun.secret


async def is_in(browser: Browser) -> bool:
    return (await browser.get("/")).status == 200


# The form


async def test_whoever_comes_is_asked_for_name_and_password(site: Site) -> None:
    async with site.browser() as browser:
        assert (await browser.get("/")).to == "/signin"
        page = await browser.get("/signin")
    assert page.status == 200
    assert all(f'name="{field}"' in page.text for field in ("name", "password"))
    assert "<script" not in page.text


async def test_what_somebody_typed_is_text_in_the_page_and_nothing_else(site: Site) -> None:
    async with site.browser() as browser:
        page = await browser.sign_in('"><script>alert(1)</script>', "wrong")
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "", "http://127.0.0.1"])
async def test_a_form_on_somebody_elses_page_signs_nobody_in(site: Site, ann: User, origin: str) -> None:
    async with site.browser(origin=origin) as browser:
        assert (await browser.sign_in("ann")).status == 403
        assert not await is_in(browser)
    assert site.counted("browser_refused", "origin") == 1
    assert site.counted("browser_auth_attempts", "ok") == 0


async def test_a_form_that_is_too_long_or_none_at_all_is_not_looked_at(site: Site, ann: User) -> None:
    async with site.browser() as browser:
        assert (await browser.sign_in("ann", "x" * 20_000)).status == 413
        assert (await browser.post("/signin", {"Content-Type": "application/json"})).status == 415
    assert not site.services.tally.counters.get(("browser_auth_attempts", ("failed",)))


@pytest.mark.parametrize("kind", ["; charset=nonsense", "; charset=zlib", "; charset=utf-8"])
async def test_a_form_in_no_encoding_breaks_nothing_and_costs_its_source(
    site: Site, ann: User, boss: Admin, kind: str
) -> None:
    headers = {"Content-Type": f"application/x-www-form-urlencoded{kind}", "Origin": site.base}
    async with site.browser() as browser:
        answer = browser.http.post(f"{site.base}/signin", data=b"name=\xff", headers=headers)
        assert (await answer).status == 400
    assert [penalty.source for penalty in site.services.penalties.every(boss)] == [HERE]


async def test_who_sends_half_a_form_keeps_nobody_out_for_long(
    site: Site, boss: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uuutorrent.browser.entrance.FORM_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", site.door.port)
    writer.write(
        f"POST /signin HTTP/1.1\r\nHost: 127.0.0.1:{site.door.port}\r\nOrigin: {site.base}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nname=ann".encode()
    )
    assert b" 408 " in await reader.readline()
    writer.close()
    assert [penalty.source for penalty in site.services.penalties.every(boss)] == [HERE]


# Passwords


async def test_a_right_password_signs_in_and_is_noted(site: Site, ann: User, boss: Admin) -> None:
    with capture_logs() as logs:
        async with site.signed_in("ann") as browser:
            assert await is_in(browser)
    assert [line["user"] for line in logs if line["event"] == "browser_signed_in"] == ["ann"]
    assert site.counted("browser_auth_attempts", "ok") == 1
    await site.services.audit.write_once()
    (note,) = [note for note in await site.services.audit.search(boss) if note.act == "sign-in"]
    assert (note.who, note.source, note.outcome, note.detail) == ("ann", "127.0.0.1", "ok", "browser")


@pytest.mark.parametrize("name", ["ann", "nobody-here", "root"])
async def test_a_wrong_one_is_answered_alike_whoever_it_was_for(site: Site, ann: User, boss: Admin, name: str) -> None:
    with capture_logs() as logs:
        async with site.browser() as browser:
            answer = await browser.sign_in(name, "wrong")
            assert (answer.status, answer.told) == (401, WRONG)
            assert not await is_in(browser)
    (line,) = [line for line in logs if line["event"] == "browser_auth_failed"]
    assert (line["ip"], line["user"]) == ("127.0.0.1", name)
    assert site.services.penalties.every(boss)[0].left_s == pytest.approx(10 if name == "root" else 5, abs=1)
    await site.services.audit.write_once()
    (note,) = [note for note in await site.services.audit.search(boss) if note.act == "sign-in"]
    assert (note.outcome, note.target) == ("failed", "" if name == "root" else name)


@pytest.mark.parametrize("settings", [{"ssh": {"password_tries": 2}}])
async def test_after_so_many_wrong_ones_one_has_to_begin_again(site: Site, ann: User) -> None:
    async with site.browser() as browser:
        assert (await browser.sign_in("ann", "wrong")).told == WRONG
        answer = await browser.sign_in("ann", "wrong")
        assert answer.told == TOO_MANY
        assert "<form" not in answer.text
    assert site.counted("browser_refused", "passwords") == 1


async def test_where_too_many_failed_nothing_is_looked_at_and_the_port_hears_of_it(site: Site, ann: User) -> None:
    site.services.penalties.add(HERE, Offence.WRONG, 5)
    async with site.browser() as browser:
        answer = await browser.sign_in("ann")
        assert (answer.status, answer.told) == (429, OnlyKeys(site.services.penalties.left_s(HERE)).message)
        assert not await is_in(browser)
    assert site.counted("browser_refused", "banned") == 1


async def test_what_fails_here_adds_up_with_what_fails_at_the_port(site: Site, ann: User) -> None:
    async with site.browser() as browser:
        for _ in range(4):
            await browser.sign_in("ann", "wrong")
        assert site.services.penalties.left_s(HERE) > 10
        assert "too many sign-ins failed where you connect from" in (await browser.sign_in("ann")).told


async def test_where_somebody_signed_in_lately_passwords_alone_are_refused(site: Site, ann: User) -> None:
    site.services.penalties.welcome(HERE)
    site.services.penalties.add(HERE, Offence.WRONG, 5)
    async with site.browser() as browser:
        assert "use a key" in (await browser.sign_in("ann")).told
    assert site.counted("browser_limits", "source_passwords") == 1


async def test_names_that_are_guessed_at_wait_a_little_more_each_time(site: Site, ann: User) -> None:
    for n in range(5):
        async with site.browser(f"192.0.2.{n}") as browser:
            await browser.sign_in("ann", "wrong")
    assert site.counted("browser_limits", "password_delay") == 1


async def test_while_too_many_wait_to_be_checked_nothing_is_refused_for_good(
    site: Site, ann: User, boss: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.services.accounts._passwords, "_checking", 1000)
    async with site.browser() as browser:
        answer = await browser.sign_in("ann")
        assert (answer.status, answer.told) == (429, Crowded().message)
        monkeypatch.setattr(site.services.accounts._passwords, "_checking", 0)
        assert (await browser.sign_in("ann")).status == 303
    assert site.services.penalties.every(boss) == ()


@pytest.mark.parametrize("settings", [{"ssh": {"startups_per_source": 1, "refusal_s": 1}}])
async def test_one_source_signs_in_so_often_at_once(site: Site, ann: User) -> None:
    async with site.browser() as one, site.browser() as other:
        trying = asyncio.create_task(one.sign_in("ann", "wrong"))
        await site.until(lambda: site.door._entrance._admission._startups)
        assert (await other.sign_in("ann")).told == BUSY
        assert (await trying).told == WRONG
        assert (await other.sign_in("ann")).status == 303
    assert site.counted("browser_refused", "source") == 1


@pytest.mark.parametrize("settings", [{"ssh": {"passwords": False}}])
async def test_where_passwords_are_off_nobody_comes_in_here(site: Site, ann: User) -> None:
    async with site.browser() as browser:
        assert (await browser.sign_in("ann")).told == BY_KEY


async def test_who_waits_for_a_yes_is_told_so(site: Site, accounts: Accounts) -> None:
    accounts.config.become(AccountSettings(signup="open"))
    await site.services.signups.sign_up(Newcomer("kim", password=PASSWORD))
    async with site.browser() as browser:
        answer = await browser.sign_in("kim")
        assert (answer.status, answer.told) == (403, WAITS)
        assert not await is_in(browser)


async def test_admins_come_in_from_inside_only(site: Site, boss: Admin) -> None:
    async with site.browser(OUTSIDE) as outside, site.browser("10.1.2.3") as inside:
        assert (await outside.sign_in("boss")).told == WRONG
        assert (await inside.sign_in("boss")).status == 303


# The code


async def test_the_code_is_asked_for_after_the_right_password(site: Site, secret: str) -> None:
    async with site.browser() as browser:
        page = await browser.sign_in("ann")
        assert (page.status, page.to) == (200, "")
        assert 'name="code"' in page.text
        assert not await is_in(browser)
        assert (await browser.post("/signin", code=code_of(secret))).status == 303
        assert await is_in(browser)
    (session,) = site.door.sessions.every
    assert session.here.proof.is_fresh()


async def test_a_wrong_code_leads_back_to_the_password_and_costs_its_source(
    site: Site, secret: str, boss: Admin
) -> None:
    async with site.browser() as browser:
        await browser.sign_in("ann")
        answer = await browser.post("/signin", code="000000")
        assert answer.told == WRONG
        assert 'name="password"' in answer.text
        again = await browser.post("/signin", code=code_of(secret))
        assert again.told == WRONG
        assert not await is_in(browser)
    assert site.services.penalties.every(boss)[0].left_s == pytest.approx(10, abs=2)


async def test_a_code_does_nothing_in_another_browser(site: Site, secret: str) -> None:
    async with site.browser() as browser, site.browser() as other:
        await browser.sign_in("ann")
        assert (await other.post("/signin", code=code_of(secret))).status == 401
        assert not await is_in(other)


async def test_too_many_wrong_codes_are_told_as_at_the_port(site: Site, ann: User, secret: str) -> None:
    for _ in range(WRONG_CODES):
        assert not await site.services.second_factors.proves(ann, "wrong")
    async with site.browser() as browser:
        await browser.sign_in("ann")
        assert "ten minutes" in (await browser.post("/signin", code="000000")).told


# What comes first once one is in


async def test_a_one_time_password_is_changed_before_anything_else(
    services: Services, accounts: Accounts, boss: Admin, ann: User
) -> None:
    password = await accounts.reset_password(boss, "ann")
    async with opened(services, None) as site, site.browser() as browser:
        assert (await browser.sign_in("ann", password)).status == 303
        async with browser.screens() as page:
            await page.sees(b"a password of your own")
            await page.types(f"{password}\r{OTHER}\r{OTHER}\r")
            await page.sees(b"is changed")
    assert not (await accounts.with_password("ann", OTHER)).password_expired


async def test_who_must_have_a_second_factor_sets_it_up_before_anything_else(
    services: Services, accounts: Accounts, ann: User
) -> None:
    accounts.config.become(AccountSettings(second_factor="everyone"))
    async with opened(services, None) as site, site.signed_in("ann") as browser, browser.screens() as page:
        await page.sees(b"second factor")
