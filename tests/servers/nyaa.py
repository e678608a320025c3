"""An index like Nyaa, on 127.0.0.1: the same feed, the same query grammar, and the faults a test asks for.

    with FakeNyaa() as nyaa:
        nyaa.post("[SubsPlease] Sousou no Frieren - 14 (1080p) [6EB72DA5].mkv", seeders=900)
        … point base_url at nyaa.url …

It is a real HTTP server in a thread, so that other processes can use it too.
Source: nyaadevs/nyaa (rss.xml, views/main.py).
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.servers.gate import Gate
from tests.servers.nyaa_query import compiled

PAGE = 75
CATEGORIES = {
    "1_1": "Anime - Anime Music Video",
    "1_2": "Anime - English-translated",
    "1_3": "Anime - Non-English-translated",
    "1_4": "Anime - Raw",
    "2_1": "Audio - Lossless",
    "3_1": "Literature - English-translated",
    "4_1": "Live Action - English-translated",
}
Fault = int | str | None
"""An HTTP status, or one of: html, hang, huge, bomb, malformed, cut, garbage."""


@dataclass
class Post:
    id: int
    title: str
    torrent: bytes
    infohash: str
    seeders: int
    leechers: int
    downloads: int
    size: int
    category: str
    trusted: bool
    remake: bool
    posted_at: datetime
    magnet: bool


class FakeNyaa:
    """The index. `fault` applies to feeds, `download_fault` to .torrent files, `delay_s` and `gate` to every answer.

    `requests` is the log.
    """

    def __init__(self, *, port: int = 0) -> None:
        self.posts: list[Post] = []
        self.requests: list[str] = []
        self.fault: Fault = None
        self.download_fault: Fault = None
        self.headers: dict[str, str] = {}
        self.delay_s = 0.0
        self.gate = Gate()
        self._ended = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.index = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.gate.open()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def queries(self) -> list[str]:
        """What the feed was asked, in order."""
        asked = [parse_qs(urlsplit(path).query, keep_blank_values=True) for path in self.requests]
        return [query["q"][0] for query in asked if "q" in query]

    def post(
        self,
        title: str,
        *,
        torrent: bytes | None = None,
        infohash: str = "",
        seeders: int = 100,
        leechers: int = 3,
        downloads: int = 1000,
        size: int = 1_400_000_000,
        category: str = "1_2",
        trusted: bool = False,
        remake: bool = False,
        posted_at: datetime | None = None,
        magnet: bool = False,
    ) -> Post:
        """Put a release up; the newest post is listed first. Without `torrent` one is made up."""
        number = len(self.posts) + 1
        content = made_up_torrent(title, size) if torrent is None else torrent
        when = posted_at or datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
        post = Post(
            id=1_700_000 + number,
            title=title,
            torrent=content,
            infohash=(infohash or infohash_of(content)).lower(),
            seeders=seeders,
            leechers=leechers,
            downloads=downloads,
            size=size,
            category=category,
            trusted=trusted,
            remake=remake,
            posted_at=when,
            magnet=magnet,
        )
        self.posts.append(post)
        return post

    def found(self, query: str, *, category: str = "0_0", quality: str = "0") -> list[Post]:
        """What the index would list, newest first, at most a page."""
        matches = compiled(query)
        main, _, sub = category.partition("_")
        return [
            post
            for post in sorted(self.posts, key=lambda post: post.id, reverse=True)
            if (main == "0" or post.category == category or (sub == "0" and post.category.startswith(f"{main}_")))
            and not (quality == "1" and post.remake)
            and not (quality == "2" and not post.trusted)
            and matches(post.title)
        ][:PAGE]

    def wait_ended(self, seconds: float) -> None:
        self._ended.wait(seconds)


def made_up_torrent(title: str, size: int) -> bytes:
    """A .torrent file of one file, with pieces that nobody can check."""
    name = title.replace("/", "_").encode()
    pieces = hashlib.sha1(name).digest() * max(1, min(size // 2**20, 64))
    info = b"d6:lengthi%de4:name%d:%s12:piece lengthi1048576e6:pieces%d:%se" % (
        size,
        len(name),
        name,
        len(pieces),
        pieces,
    )
    return b"d8:announce22:http://127.0.0.1:9/ann4:info" + info + b"e"


def infohash_of(torrent: bytes) -> str:
    """The v1 hash of a .torrent whose last key is its info dictionary, as test torrents are."""
    at = torrent.find(b"4:info")
    return hashlib.sha1(torrent if at < 0 else _value_at(torrent, at + 6)).hexdigest()


def _value_at(data: bytes, at: int) -> bytes:
    start, depth = at, 0
    while True:
        kind = data[at : at + 1]
        if kind in (b"d", b"l"):
            depth, at = depth + 1, at + 1
        elif kind == b"i":
            at = data.index(b"e", at) + 1
        elif kind == b"e":
            depth, at = depth - 1, at + 1
        else:
            colon = data.index(b":", at)
            at = colon + 1 + int(data[at:colon])
        if depth == 0:
            return data[start:at]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    index: FakeNyaa

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        index = self.server.index
        index.requests.append(self.path)
        if index.delay_s:
            index.wait_ended(index.delay_s)
        index.gate.let_through()
        parts = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path.startswith("/download/"):
            self._download(parts.path)
        elif asked.get("page") == "rss":
            self._feed(asked)
        else:
            self._answer(b"<!DOCTYPE html><html><title>Browse :: Nyaa</title></html>", "text/html; charset=utf-8")

    def _feed(self, asked: dict[str, str]) -> None:
        index = self.server.index
        if self._failed(index.fault):
            return
        query = asked.get("q", "")
        posts = index.found(query, category=asked.get("c", "0_0"), quality=asked.get("f", "0"))
        feed = _feed_text(query, index.url, posts)
        if index.fault == "malformed":
            feed = feed.replace("</item>", MALFORMED + "</item>", 1).replace("</channel>", MALFORMED_ITEMS, 1)
        self._answer(feed.encode(), "application/xml; charset=utf-8")

    def _download(self, path: str) -> None:
        index = self.server.index
        if self._failed(index.download_fault):
            return
        wanted = re.fullmatch(r"/download/(\d+)\.torrent", path)
        post = next((post for post in index.posts if wanted and post.id == int(wanted[1])), None)
        if post is None:
            self._answer(b"<!DOCTYPE html><html><title>404</title></html>", "text/html", status=404)
        else:
            self._answer(post.torrent, "application/x-bittorrent")

    def _failed(self, fault: Fault) -> bool:
        if isinstance(fault, int):
            self._answer(b"<!DOCTYPE html><html><h1>DDoS-Guard</h1></html>", "text/html", status=fault)
        elif fault == "hang":
            self.server.index.wait_ended(60)
            self.close_connection = True
        elif fault == "cut":
            self._answer(b"<rss", "application/xml", claimed=4096)
            self.close_connection = True
        elif fault in PAGES:
            kind, body = PAGES[fault]
            self._answer(body(), kind)
        else:
            return False
        return True

    def _answer(self, body: bytes, kind: str, *, status: int = 200, claimed: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if claimed is None else claimed))
        self.send_header("Cache-Control", "max-age=300")
        for name, value in self.server.index.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Tests read `requests` instead."""


def _bomb() -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return (
        f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "ha">{entities}]><rss><channel>&e9;</channel></rss>'.encode()
    )


PAGES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "html": ("text/html; charset=utf-8", lambda: b"<!DOCTYPE html><html><title>Checking your browser</title></html>"),
    "huge": ("application/xml", lambda: b"<rss>" + b" " * (9 << 20)),
    "bomb": ("application/xml", _bomb),
    "garbage": ("application/octet-stream", lambda: bytes(range(256)) * 20),
}
MALFORMED = "<nyaa:seeders>many</nyaa:seeders>"
MALFORMED_ITEMS = """
\t\t<item><title>No hash at all</title><link>http://127.0.0.1/download/1.torrent</link></item>
\t\t<item><title>Half a hash</title><nyaa:infoHash>12ab</nyaa:infoHash></item>
\t\t<item><nyaa:infoHash>0000000000000000000000000000000000000000</nyaa:infoHash></item>
\t\t<item></item>
\t</channel>"""


def _feed_text(query: str, site: str, posts: list[Post]) -> str:
    about = f"&#34;{_escaped(query)}&#34; - " if query else ""
    return f"""<rss xmlns:atom="http://www.w3.org/2005/Atom" xmlns:nyaa="https://nyaa.si/xmlns/nyaa" version="2.0">
\t<channel>
\t\t<title>Nyaa - {about}Torrent File RSS</title>
\t\t<description>RSS Feed for {about.removesuffix(" - ")}</description>
\t\t<link>{site}/</link>
\t\t<atom:link href="{site}/?page=rss" rel="self" type="application/rss+xml" />
{"".join(_item_text(site, post) for post in posts)}\t</channel>
</rss>"""


def _item_text(site: str, post: Post) -> str:
    link = f"magnet:?xt=urn:btih:{post.infohash}" if post.magnet else f"{site}/download/{post.id}.torrent"
    title, page, category = _escaped(post.title), f"{site}/view/{post.id}", CATEGORIES[post.category]
    return f"""\t\t<item>
\t\t\t<title>{title}</title>
\t\t\t\t<link>{link}</link>
\t\t\t\t<guid isPermaLink="true">{page}</guid>
\t\t\t\t<pubDate>{format_datetime(post.posted_at.astimezone(UTC).replace(tzinfo=None))}</pubDate>

\t\t\t\t<nyaa:seeders>{post.seeders}</nyaa:seeders>
\t\t\t\t<nyaa:leechers>{post.leechers}</nyaa:leechers>
\t\t\t\t<nyaa:downloads>{post.downloads}</nyaa:downloads>
\t\t\t\t<nyaa:infoHash>{post.infohash}</nyaa:infoHash>
\t\t\t<nyaa:categoryId>{post.category}</nyaa:categoryId>
\t\t\t<nyaa:category>{category}</nyaa:category>
\t\t\t<nyaa:size>{_size_text(post.size)}</nyaa:size>
\t\t\t<nyaa:comments>0</nyaa:comments>
\t\t\t<nyaa:trusted>{"Yes" if post.trusted else "No"}</nyaa:trusted>
\t\t\t<nyaa:remake>{"Yes" if post.remake else "No"}</nyaa:remake>
\t\t\t<description><![CDATA[<a href="{page}">#{post.id} | {title}</a> | {_size_text(post.size)} | {category} | \
{post.infohash.upper()}]]></description>
\t\t</item>
"""


def _escaped(text: str) -> str:
    # As Jinja escapes: quotes become numbers, not names.
    return escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def _size_text(size: int) -> str:
    amount = float(size)
    for unit in ("Bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.1f} {unit}" if unit != "Bytes" else f"{size} Bytes"
        amount /= 1024
    return f"{amount:.1f} TiB"
