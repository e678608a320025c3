"""Files over HTTP, as browsers and `curl -C -` ask for them, and as nobody should get them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from tests.desks import Built, built
from tests.people import PATIENCE_S
from tests.ssh.port import hello
from tests.torrents import metainfos
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.browser import downloads
from uuutorrent.browser.door import BrowserDoor
from uuutorrent.browser.downloads import MOST_AT_ONCE, Downloads, disposition
from uuutorrent.browser.links import Link, Links
from uuutorrent.browser.sessions import BrowserSession, Sessions
from uuutorrent.store.database import Database

EPISODE = os.urandom(700_001)
NAME = "葬送のフリーレン [01] “a”.mkv"
COOKIE = "who"


@dataclass
class Page:
    """A site that has nothing but files, and knows who comes by a cookie."""

    house: Built
    links: Links
    client: TestClient[web.Request, web.Application]
    sessions: Sessions
    secrets: dict[str, str] = field(default_factory=dict)
    """What is in whose cookie."""

    def comes(self, user: User, who: str) -> BrowserSession:
        session, self.secrets[who] = self.sessions.begin(user, "127.0.0.1", with_code=False)
        return session

    def session(self, who: str = "ann") -> BrowserSession:
        session = self.sessions.of(self.secrets[who])
        assert session is not None
        return session

    async def give(self, user: User, files: dict[str, bytes], name: str = "Show") -> Link:
        """A finished torrent; the link to its first file."""
        library = self.house.services.library
        metainfo = metainfos.several(name, {path: len(content) for path, content in files.items()})
        added = await library.add_given(user, metainfo)
        self.house.engine.complete(added.infohash, {f"{name}/{path}": content for path, content in files.items()})
        await self.house.services.live.refresh()
        await library.reconcile()
        return Link(added.infohash, 0)

    def address(self, who: str, link: Link, name: str = "x") -> str:
        session = self.session(who)
        return self.links.address(session.key, session.user.id, link, name)

    def cookie(self, who: str = "ann") -> str:
        return f"{COOKIE}={self.secrets.get(who, who)}"

    async def get(self, address: str, who: str = "ann", method: str = "GET", **headers: str) -> ClientResponse:
        sent = {"Cookie": self.cookie(who)} if who else {}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(method, address, headers=sent | more)

    async def until_idle(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.session().open:  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0.005)


@pytest.fixture
async def page(database: Database, tmp_path: Path, ann: User) -> AsyncIterator[Page]:
    async with built(database, tmp_path) as house:
        links, sessions = Links(), Sessions(house.services)
        app = web.Application()
        app.add_routes(Downloads(lambda request: sessions.of(request.cookies.get(COOKIE, "")), links).routes())
        async with TestClient(TestServer(app)) as client:
            page = Page(house, links, client, sessions)
            page.comes(ann, "ann")
            yield page


@pytest.fixture
async def link(page: Page, ann: User) -> Link:
    return await page.give(ann, {NAME: EPISODE})


def open_files(folder: Path) -> list[str]:
    """What this process has open below a folder."""
    found = []
    for one in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(one.readlink()))
        except OSError:
            continue
    return [place for place in found if place.startswith(str(folder))]


async def test_a_file_comes_whole_under_its_name_and_counts(page: Page, link: Link, ann: User) -> None:
    got = await page.get(page.address("ann", link))
    assert got.status == 200
    assert await got.read() == EPISODE
    assert got.headers["Content-Type"] == "application/octet-stream"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Disposition"].startswith('attachment; filename="')
    assert got.content_disposition is not None
    assert got.content_disposition.filename == NAME
    services = page.house.services
    assert services.tally.counters["served_bytes", ("browser",)] == len(EPISODE)
    assert await services.limits.served(ann) == len(EPISODE)
    await page.until_idle()
    assert page.session().sent == len(EPISODE)
    await services.uses.run_once()
    (served,) = await services.uses.served(ann)
    assert served.path.endswith(NAME)


PARTS: tuple[tuple[str, int, tuple[int, int] | None], ...] = (
    ("bytes=0-9", 206, (0, 10)),
    ("bytes=700000-", 206, (700_000, 700_001)),
    ("bytes=10-999999999", 206, (10, 700_001)),
    ("bytes=-5", 206, (699_996, 700_001)),
    ("bytes=-999999999", 206, (0, 700_001)),
    ("bytes=700001-", 416, None),
    ("bytes=-0", 416, None),
    ("bytes=9-1", 200, (0, 700_001)),
    ("bytes=0-1,5-6", 200, (0, 700_001)),
    ("bytes=-", 200, (0, 700_001)),
    (f"bytes={'9' * 5000}-", 200, (0, 700_001)),
    ("pages=1-2", 200, (0, 700_001)),
)


async def test_a_part_is_given_where_one_is_asked_for(page: Page, link: Link) -> None:
    address = page.address("ann", link)
    for asked, status, part in PARTS:
        got = await page.get(address, Range=asked)
        assert got.status == status, asked
        content = await got.read()
        if part is None:
            assert got.headers["Content-Range"] == f"bytes */{len(EPISODE)}"
            continue
        assert content == EPISODE[slice(*part)], asked
        told = f"bytes {part[0]}-{part[1] - 1}/{len(EPISODE)}"
        assert got.headers.get("Content-Range") == (told if status == 206 else None)


async def test_a_part_is_not_joined_to_another_file(page: Page, link: Link) -> None:
    address = page.address("ann", link)
    head = await page.get(address, method="HEAD")
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(EPISODE)))
    assert await head.read() == b""
    for validator in (head.headers["ETag"], head.headers["Last-Modified"]):
        assert (await page.get(address, Range="bytes=5-", If_Range=validator)).status == 206
    for validator in ('"other"', f"W/{head.headers['ETag']}", "Sat, 21 Nov 2020 00:00:00 GMT"):
        got = await page.get(address, Range="bytes=5-", If_Range=validator)
        assert got.status == 200
        assert await got.read() == EPISODE


async def test_curl_goes_on_where_it_was(page: Page, link: Link, tmp_path: Path) -> None:
    file = tmp_path / "got.mkv"
    file.write_bytes(EPISODE[:300_000])
    url = str(page.client.make_url(page.address("ann", link)))
    words = ["curl", "-fsS", "-C", "-", "-b", page.cookie(), "-o", str(file), url]
    curl = await asyncio.create_subprocess_exec(*words)
    async with asyncio.timeout(PATIENCE_S):
        assert await curl.wait() == 0
    assert hashlib.sha256(file.read_bytes()).digest() == hashlib.sha256(EPISODE).digest()
    assert page.session().sent == len(EPISODE) - 300_000


async def test_a_link_is_of_no_use_to_anybody_else(page: Page, link: Link, ann: User, bob: User) -> None:
    page.comes(bob, "bob")
    page.comes(ann, "elsewhere")
    address = page.address("ann", link)
    for cookie in ("", "nobody", "bob", "elsewhere"):
        got = await page.get(address, cookie)
        assert got.status == 403, cookie
        assert EPISODE[:16] not in await got.read()
    assert (await page.get(page.address("bob", link), "bob")).status == 404
    page.sessions.end(page.session())
    assert (await page.get(address)).status == 403


async def test_what_was_given_up_is_not_there_any_more(page: Page, link: Link, ann: User) -> None:
    address = page.address("ann", link)
    assert (await page.get(address, method="HEAD")).status == 200
    await page.house.services.library.delete(ann, link.infohash, with_files=True)
    assert (await page.get(address)).status == 404
    assert (await page.get(page.address("ann", Link(link.infohash, 9)))).status == 404


async def test_who_has_something_to_do_first_gets_no_files(
    page: Page, link: Link, ann: User, accounts: Accounts
) -> None:
    await accounts.give_password(Operator(), "ann", "seven brass kettles hum", expired=True)
    got = await page.get(page.address("ann", link))
    assert got.status == 403
    assert "one-time password" in await got.text()


async def test_a_month_that_is_used_up_is_told(page: Page, link: Link) -> None:
    await page.house.services.limits.set(Operator(), "ann", {"month_bytes": len(EPISODE)})
    assert await (await page.get(page.address("ann", link))).read() == EPISODE
    got = await page.get(page.address("ann", link))
    assert got.status == 403
    assert "which is all you may have" in await got.text()


async def test_who_goes_away_or_takes_nothing_holds_nothing(
    page: Page, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "STALLED_S", 0.2)
    link = await page.give(ann, {"large.mkv": bytes(40_000_000)})
    folder = page.house.services.config.download_dir
    assert page.client.port is not None
    for leaves in (True, False):
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(slow, ("127.0.0.1", page.client.port))
            asked = f"GET {page.address('ann', link)} HTTP/1.1\r\nHost: x\r\nCookie: {page.cookie()}\r\n\r\n"
            await loop.sock_sendall(slow, asked.encode())
            assert (await loop.sock_recv(slow, 12)) == b"HTTP/1.1 200"
            assert len(open_files(folder)) == 1
            if leaves:
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                slow.close()
            await page.until_idle()
            assert not open_files(folder)
    assert page.session().sent < 40_000_000


async def test_who_signs_out_is_cut_off_in_the_middle(page: Page, ann: User) -> None:
    link = await page.give(ann, {"large.mkv": bytes(40_000_000)})
    got = await page.get(page.address("ann", link))
    await got.content.readexactly(100_000)
    session = page.session()
    page.sessions.end(session)
    with pytest.raises(Exception, match="payload"):  # noqa: PT012 - whichever way the client says that it was cut off
        while await got.content.read(1 << 16):
            pass
    assert session.sent < 40_000_000


async def test_only_so_many_run_at_once_in_a_session(page: Page, link: Link, ann: User) -> None:
    large = await page.give(ann, {"large.mkv": bytes(20_000_000)}, "Large")
    running = [await page.get(page.address("ann", large)) for _ in range(MOST_AT_ONCE)]
    assert (await page.get(page.address("ann", link))).status == 429
    assert page.house.services.tally.counters["browser_limits", ("downloads",)] == 1
    running[0].close()
    async with asyncio.timeout(PATIENCE_S):
        while len(page.session().open) == MOST_AT_ONCE:  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)
    assert (await page.get(page.address("ann", link))).status == 200


def test_no_name_breaks_out_of_its_header() -> None:
    told = disposition('a"b\r\nX: y;é.mkv')
    assert told == "attachment; filename=\"a_b__X_ y__.mkv\"; filename*=UTF-8''a%22b%0D%0AX%3A%20y%3B%C3%A9.mkv"


async def test_a_server_that_stops_lets_files_be_sent(page: Page, link: Link, ann: User) -> None:
    door = BrowserDoor(page.house.services, hello)
    door.sessions = page.sessions
    large = await page.give(ann, {"large.mkv": bytes(20_000_000)}, "Large")
    got = await page.get(page.address("ann", large))
    draining = asyncio.create_task(door.drain(PATIENCE_S))
    assert len(await got.read()) == 20_000_000
    async with asyncio.timeout(PATIENCE_S):
        await draining
    hanging = await page.get(page.address("ann", large))
    began = asyncio.get_running_loop().time()
    await door.drain(0.2)
    assert asyncio.get_running_loop().time() - began >= 0.15
    await door.close()
    with pytest.raises(Exception, match="payload"):
        await hanging.read()
