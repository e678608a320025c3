from __future__ import annotations

from datetime import UTC, datetime

import pytest

from uuutorrent.automation.feeds.item import Item, read
from uuutorrent.releases.feed import NotAFeed

HASH = "0123456789abcdef0123456789abcdef01234567"


def rss(*items: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:nyaa="https://nyaa.si/xmlns/nyaa"'
        ' xmlns:torrent="http://xmlns.ezrss.it/0.1/" xmlns:subsplease="https://subsplease.org/rss">'
        f"<channel><title>A feed</title>{''.join(items)}</channel></rss>"
    ).encode()


def only(body: bytes) -> Item:
    (item,) = read(body)
    return item


def test_an_item_of_nyaa() -> None:
    assert only(
        rss(
            "<item><title>[G] Show - 01 (1080p)</title><link>https://nyaa.example/download/1.torrent</link>"
            "<guid>https://nyaa.example/view/1</guid><pubDate>Fri, 20 Nov 2026 12:00:00 -0000</pubDate>"
            f"<nyaa:seeders>12</nyaa:seeders><nyaa:infoHash>{HASH}</nyaa:infoHash>"
            "<nyaa:categoryId>1_2</nyaa:categoryId><nyaa:size>1.5 GiB</nyaa:size></item>"
        )
    ) == Item(
        key=HASH,
        title="[G] Show - 01 (1080p)",
        link="https://nyaa.example/download/1.torrent",
        infohash=HASH,
        size_bytes=3 << 29,
        seeders=12,
        category="1_2",
        posted_at=datetime(2026, 11, 20, 12, tzinfo=UTC),
    )


def test_an_item_whose_link_is_a_magnet_as_subsplease_writes() -> None:
    item = only(
        rss(
            f"<item><title>[G] Show - 02</title><link>magnet:?xt=urn:btih:{HASH.upper()}&amp;dn=Show</link>"
            "<guid isPermaLink='false'>ABC</guid><subsplease:size>537.8 MiB</subsplease:size></item>"
        )
    )
    assert (item.infohash, item.link) == (HASH, f"magnet:?xt=urn:btih:{HASH.upper()}&dn=Show")
    assert item.size_bytes == int(537.8 * 2**20)


def test_an_item_of_a_private_tracker_has_its_torrent_in_an_enclosure() -> None:
    item = only(
        rss(
            "<item><title>Show - 03</title><link>https://tracker.example/torrents.php?id=3</link>"
            "<enclosure url='https://tracker.example/download/3?passkey=abc' length='734003200'"
            " type='application/x-bittorrent'/></item>"
        )
    )
    assert (item.link, item.size_bytes) == ("https://tracker.example/download/3?passkey=abc", 734003200)
    assert item.key == "https://tracker.example/download/3?passkey=abc"
    assert item.seeders is None


def test_an_item_that_tells_everything_in_its_description() -> None:
    item = only(
        rss(
            '<item><title>Show - 04</title><link>https://a.example/4</link><description>&lt;a href="magnet:?xt'
            f'=urn:btih:{HASH}&amp;amp;tr=x"&gt;Magnet&lt;/a&gt; | Size: 1.2GB | Date</description></item>'
        )
    )
    assert item.link.startswith(f"magnet:?xt=urn:btih:{HASH}&tr=x")
    assert item.size_bytes == int(1.2 * 2**30)


def test_an_atom_feed() -> None:
    body = (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>A feed</title><entry>'
        "<title>Show - 05</title><id>tag:5</id><updated>2026-11-20T12:00:00Z</updated>"
        "<link rel='enclosure' type='application/x-bittorrent' href='https://a.example/5.torrent'/></entry></feed>"
    )
    item = only(body.encode())
    assert (item.title, item.link, item.key) == ("Show - 05", "https://a.example/5.torrent", "tag:5")
    assert item.posted_at == datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_what_cannot_be_downloaded_is_left_out_and_what_is_told_twice_is_one() -> None:
    twice = f"<item><title>Show - 06</title><link>magnet:?xt=urn:btih:{HASH}</link></item>"
    nothing = "<item><title>News</title><link>ftp://site.example/x</link></item>"
    assert len(read(rss(twice, nothing, "<item><link>https://a.example/7.torrent</link></item>", twice))) == 1


@pytest.mark.parametrize(
    "body", [b"<!doctype html><html>", b"{}", b"", b'<!DOCTYPE x [<!ENTITY a "b">]><rss></rss>', b"\x00\xff" * 400]
)
def test_what_is_no_feed_is_refused(body: bytes) -> None:
    with pytest.raises(NotAFeed):
        read(body)


def test_an_item_with_odd_figures_is_read_without_them() -> None:
    item = only(
        rss(
            "<item><title>Show - 08</title><link>https://a.example/8.torrent</link><nyaa:seeders>many</nyaa:seeders>"
            "<nyaa:size>big</nyaa:size><pubDate>soon</pubDate><nyaa:infoHash>xyz</nyaa:infoHash></item>"
        )
    )
    assert (item.seeders, item.size_bytes, item.posted_at, item.infohash) == (None, None, None, "")
