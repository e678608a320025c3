import pytest
from hypothesis import given
from hypothesis import strategies as st

from uuutorrent.releases import feed

HASH = "ab" * 20
HEAD = '<rss xmlns:nyaa="https://nyaa.si/xmlns/nyaa" version="2.0"><channel>'


def read(item: str) -> feed.Feed:
    return feed.read(f"{HEAD}<item>{item}</item></channel></rss>".encode())


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ("1.4 GiB", 1503238553),
        ("700.0 MiB", 734003200),
        ("12 Bytes", 12),
        ("1.0 TiB", 1 << 40),
        ("many", 0),
        ("1.2.3 GiB", 0),
    ],
)
def test_sizes(said: str, size: int) -> None:
    item = f"<title>x</title><nyaa:infoHash>{HASH.upper()}</nyaa:infoHash><nyaa:size>{said}</nyaa:size>"
    (found,) = read(item).releases
    assert (found.size_bytes, found.infohash) == (size, HASH)


@pytest.mark.parametrize(
    "item",
    [
        "",
        "<title>x</title>",
        f"<nyaa:infoHash>{HASH}</nyaa:infoHash>",
        "<title>x</title><nyaa:infoHash>not a hash</nyaa:infoHash>",
    ],
)
def test_an_item_that_cannot_be_used_is_counted(item: str) -> None:
    assert read(item) == feed.Feed((), 1)


def test_strange_values_become_plain_ones() -> None:
    item = (
        f"<title> a\n\tb </title><nyaa:infoHash>{HASH}</nyaa:infoHash><nyaa:seeders>-5</nyaa:seeders>"
        "<nyaa:leechers>²</nyaa:leechers><nyaa:downloads>99999999999999999999</nyaa:downloads>"
        "<pubDate>the day after tomorrow</pubDate>"
    )
    (found,) = read(item).releases
    assert (found.title, found.seeders, found.leechers, found.downloads, found.posted_at) == ("a b", 0, 0, 0, None)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not a feed"),
        (b"\xff\xfe<\x00r\x00s\x00s\x00", "not a feed"),
        (b"  <!DOCTYPE html><html></html>", "a web page"),
        (b"<html><body>", "a web page"),
        (b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "b">]><rss/>', "declares entities"),
        (b"<rss>" + b" " * 5000 + b'<! DOCTYPE x SYSTEM "file:///etc/passwd"></rss>', "declares entities"),
    ],
)
def test_what_is_no_feed_is_not_parsed(body: bytes, why: str) -> None:
    with pytest.raises(feed.NotAFeed, match=why):
        feed.read(body)


@given(st.binary(max_size=300))
def test_no_bytes_break_it(body: bytes) -> None:
    for given_ in (body, HEAD.encode() + body):
        try:
            feed.read(given_)
        except feed.NotAFeed:
            continue
