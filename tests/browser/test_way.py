"""From where people come, through which proxies, and what every answer says to a browser."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from tests.browser.site import OUTSIDE, Site, opened
from uuutorrent.browser import pages
from uuutorrent.config import Browser as Settings
from uuutorrent.configuring import load
from uuutorrent.errors import BadConfig
from uuutorrent.users import User

PUBLIC = "https://seedbox.example"
BEHIND = [{"browser": {"public_url": PUBLIC}}]
FAR = [{"browser": {"public_url": PUBLIC, "proxies": ["192.0.2.1"]}}]


# Proxies


async def test_the_address_is_the_one_that_our_own_proxy_wrote(site: Site, ann: User) -> None:
    async with site.browser("198.51.100.1, 203.0.113.9") as browser:
        await browser.sign_in("ann")
    (session,) = site.door.sessions.every
    assert session.here.ip == OUTSIDE


async def test_somebody_on_this_machine_comes_as_such(site: Site, ann: User) -> None:
    async with site.signed_in("ann"):
        (session,) = site.door.sessions.every
        assert session.here.ip == "127.0.0.1"


@pytest.mark.parametrize("settings", BEHIND)
async def test_behind_a_proxy_that_does_not_say_who_asks_nobody_is_answered(site: Site, ann: User) -> None:
    async with site.browser() as browser:
        answer = await browser.get("/signin")
    assert answer.status == 403
    assert "X-Forwarded-For" in answer.text


@pytest.mark.parametrize("settings", FAR)
async def test_who_goes_past_the_proxy_is_not_answered(site: Site, ann: User) -> None:
    async with site.browser(OUTSIDE, origin=PUBLIC) as browser:
        assert (await browser.get("/signin")).text == f"come through {PUBLIC}\n"
        assert (await browser.sign_in("ann")).status == 403
        assert await browser.refused_screens() == 403


@pytest.mark.parametrize("told", ["nonsense", "198.51.100.1, ", "203.0.113.9:80", "127.0.0.1, unknown"])
async def test_what_is_no_address_is_believed_by_nobody(site: Site, told: str) -> None:
    async with site.browser(told) as browser:
        assert (await browser.get("/signin")).status == 403


# Cookies


@pytest.mark.parametrize("settings", BEHIND)
async def test_over_tls_the_cookie_never_travels_without_and_is_of_this_host_alone(site: Site, ann: User) -> None:
    async with site.browser(OUTSIDE, origin=PUBLIC) as browser:
        answer = await browser.sign_in("ann")
    cookies = [cookie for cookie in answer.headers.getall("Set-Cookie") if "Max-Age=0" not in cookie]
    assert len(cookies) == 1
    assert re.fullmatch(r"__Host-session=[\w-]{43}; HttpOnly; Path=/; SameSite=Strict; Secure", cookies[0])


async def test_a_cookie_is_not_for_scripts_nor_for_other_sites(site: Site, ann: User) -> None:
    async with site.browser() as browser:
        answer = await browser.sign_in("ann")
    (cookie,) = [cookie for cookie in answer.headers.getall("Set-Cookie") if "Max-Age=0" not in cookie]
    assert re.fullmatch(r"uuutorrent-session=[\w-]{43}; HttpOnly; Path=/; SameSite=Strict", cookie)


async def test_what_is_in_the_cookie_is_not_kept_here(site: Site, ann: User) -> None:
    async with site.signed_in("ann") as browser:
        (secret,) = [cookie.value for cookie in browser.http.cookie_jar]
    (session,) = site.door.sessions.every
    assert secret.encode() not in session.key
    assert len(session.key) == 32


# Origins


@pytest.mark.parametrize("settings", BEHIND)
@pytest.mark.parametrize(
    ("origin", "status"), [(PUBLIC, 101), ("http://seedbox.example", 403), ("https://seedbox.example.evil.net", 403)]
)
async def test_the_screens_are_for_our_own_page_alone(site: Site, ann: User, origin: str, status: int) -> None:
    async with site.browser(OUTSIDE, origin=PUBLIC) as browser:
        answer = await browser.sign_in("ann")
        cookie = answer.headers["Set-Cookie"] if "session" in answer.headers["Set-Cookie"] else ""
        secret = next(one for one in answer.headers.getall("Set-Cookie") if one.startswith("__Host-session="))
        browser.origin = origin
        assert await browser.refused_screens(Cookie=secret.partition(";")[0]) == status
        assert cookie is not None


async def test_a_name_that_was_made_to_lead_here_is_not_ours(site: Site, ann: User) -> None:
    """As when a foreign page's name is suddenly that of this machine: its Origin and Host are alike."""
    elsewhere = f"elsewhere.example:{site.door.port}"
    async with site.browser(origin=f"http://{elsewhere}") as browser:
        assert (await browser.post("/signin", {"Host": elsewhere}, name="ann", password="x")).status == 403


@pytest.mark.parametrize("host", ["elsewhere.example", "xn--zz", "localhost:99999", "[::1", ""])
async def test_who_says_of_no_page_that_it_asks_is_not_ours_whatever_they_call_us(site: Site, host: str) -> None:
    head = f"POST /signin HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n"
    assert (await sends(site, head.encode())).startswith(b"HTTP/1.1 403 ")


async def sends(site: Site, text: bytes) -> bytes:
    """The line that answers what no client would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.door.port)
    writer.write(text)
    line = await reader.readline()
    writer.close()
    return line


async def test_at_the_near_end_of_a_tunnel_it_is_ours_whatever_the_port(site: Site, ann: User) -> None:
    async with site.browser(origin="http://localhost:9000") as browser:
        answer = await browser.post("/signin", {"Host": "localhost:9000"}, name="ann", password="wrong")
    assert answer.status == 401


# What every answer says


@pytest.mark.parametrize("path", ["/signin", "/", "/nowhere", "/static/own/signin.css", "/files/x/y", "/screen"])
async def test_every_answer_keeps_its_page_to_itself(site: Site, path: str) -> None:
    async with site.browser() as browser:
        headers = (await browser.get(path)).headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] in ("no-referrer", "same-origin")
    assert headers["Server"] == "uuutorrent"
    assert headers["Cache-Control"] == ("public, max-age=3600" if "/static/" in path else "no-store")


async def test_the_page_runs_no_script_but_the_one_of_the_package_and_loads_nothing_from_elsewhere(
    site: Site, ann: User
) -> None:
    async with site.signed_in("ann") as browser:
        page = await browser.get("/")
        policy = page.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert f"connect-src 'self' ws://127.0.0.1:{site.door.port};" in policy
        assert re.findall(r"<script[^>]*>[^<]", page.text) == []
        assert re.findall(r" on\w+=", page.text) == []
        wanted = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        style = await browser.get("/static/own/screen.css")
        wanted += re.findall(r'url\("([^"]+)"\)', style.text)
        assert len(wanted) >= 6
        for path in wanted:
            assert path.startswith("/")
            async with browser.http.get(f"{browser.base}{path}") as file:
                assert file.status == 200, path
    script = (pages.TERMINAL / "js/textual.js").read_text()
    assert re.findall(r"https?://", script) == []


async def test_no_other_file_of_the_machine_can_be_had(site: Site) -> None:
    async with aiohttp.ClientSession() as http:
        for path in ("/static/own/../door.py", "/static/own/%2e%2e/door.py", "/static/terminal/", "/static/own"):
            async with http.get(f"{site.base}{path}") as answer:
                assert answer.status in (403, 404), path


# Settings


async def test_a_port_that_is_taken_is_told(site: Site) -> None:
    taken = site.services.config.browser.model_copy(update={"port": site.door.port})
    config = site.services.config.model_copy(update={"browser": taken})
    with pytest.raises(BadConfig, match=rf"cannot listen on 127.0.0.1 port {site.door.port}.* of \[browser\]"):
        async with opened(replace(site.services, config=config)):
            pass


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('enabled = true\nhost = "0.0.0.0"', 'host = "0.0.0.0" can be reached from other machines'),
        ('public_url = "http://seedbox.example"', "public_url has to begin with https"),
        ('public_url = "https://seedbox.example/seed"', "public_url is a name alone"),
        ('public_url = "seedbox.example"', "public_url is a name alone"),
        ('public_url = "https://seedbox.example:99999"', "Port out of range"),
        ('public_url = "https://seedbox.example:https"', "public_url is a name alone"),
        ("public_url = 'https://seedbox\\example'", "public_url is a name alone"),
        ('public_url = "https://seedbox.example?now"', "public_url is a name alone"),
        ('host = "0.0.0.0"\npublic_url = "http://localhost"', "public_url has to begin with https"),
        ('proxies = ["everywhere"]', "proxies"),
    ],
)
def test_what_would_be_open_to_others_is_no_setting(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"[browser]\n{text}\n")
    with pytest.raises(BadConfig) as caught:
        load(file)
    assert said in caught.value.message


def test_what_is_off_may_be_written_down_beforehand() -> None:
    assert Settings(host="0.0.0.0").enabled is False
    assert Settings(enabled=True, host="0.0.0.0", public_url=PUBLIC).public_url == PUBLIC
