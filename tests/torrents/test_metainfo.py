from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import libtorrent
import pytest
from bencode2 import bencode
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torrents import metainfos
from uuutorrent.errors import Invalid
from uuutorrent.torrents.metainfo import MAX_BYTES, MetaFile, parse_magnet, parse_torrent

V1 = "0123456789abcdef0123456789abcdef01234567"
V2 = "fedcba9876543210" * 4


def theirs(raw: bytes) -> tuple[str, str]:
    """The hashes that libtorrent computes."""
    decoded: Any = libtorrent.bdecode(raw)
    hashes = libtorrent.torrent_info(decoded).info_hashes()
    return (
        str(hashes.v1) if hashes.has_v1() else "",
        str(hashes.v2) if hashes.has_v2() else "",
    )


@pytest.mark.parametrize(
    "raw",
    [metainfos.single(), metainfos.several(), metainfos.v2(), metainfos.hybrid()],
    ids=["v1", "v1 batch", "v2", "hybrid"],
)
def test_the_hashes_are_those_that_libtorrent_computes(raw: bytes) -> None:
    parsed = parse_torrent(raw)

    assert (parsed.v1, parsed.v2) == theirs(raw)


def test_a_single_file_is_named_by_the_torrent() -> None:
    parsed = parse_torrent(metainfos.single("Show - 03.mkv", 123, private=1))

    assert parsed.name == "Show - 03.mkv"
    assert parsed.files == (MetaFile("Show - 03.mkv", 123),)
    assert parsed.size_bytes == 123
    assert parsed.private
    assert parsed.trackers == ("http://127.0.0.1:9/announce",)
    assert parsed.infohash == parsed.v1


def test_several_files_lie_in_the_torrents_folder() -> None:
    parsed = parse_torrent(metainfos.several("Show", {"S1/01.mkv": 5, "S1/02.mkv": 7, "Extras/OP.mkv": 1}))

    assert [file.path for file in parsed.files] == ["Show/S1/01.mkv", "Show/S1/02.mkv", "Show/Extras/OP.mkv"]
    assert parsed.size_bytes == 13


def test_a_v2_torrent_of_several_files_lists_its_tree() -> None:
    leaf = {b"": {"length": 4, "pieces root": b"x" * 32}}
    raw = metainfos.v2("Show", tree={b"S1": {b"01.mkv": leaf, b"02.mkv": leaf}, b"readme": leaf})

    parsed = parse_torrent(raw)

    assert [file.path for file in parsed.files] == ["Show/S1/01.mkv", "Show/S1/02.mkv", "Show/readme"]
    assert parsed.infohash == parsed.v2
    assert parsed.v1 == ""


def test_padding_files_are_not_listed() -> None:
    files: list[dict[str, Any]] = [
        {"length": 5, "path": [b"01.mkv"]},
        {"length": 11, "path": [b".pad", b"11"], "attr": b"p"},
    ]
    info = {"name": b"Show", "files": files, "piece length": 16384, "pieces": b"x" * 20}

    parsed = parse_torrent(metainfos.whole(info))

    assert parsed.files == (MetaFile("Show/01.mkv", 5),)


def test_trackers_of_all_tiers_are_listed_once() -> None:
    tiers = [[b"udp://one:1", b"http://two/a"], [b"udp://one:1", b"ftp://no", b"\xff"]]

    parsed = parse_torrent(
        bencode(
            {"announce": b"http://two/a", "announce-list": tiers, "info": {"name": b"x", "length": 1, "pieces": b""}}
        )
    )

    assert parsed.trackers == ("http://two/a", "udp://one:1")


@pytest.mark.parametrize(
    "path",
    [[b"..", b"x"], [b"."], [b""], [b"a/b"], [b"/etc"], [b"a\0b"], []],
    ids=["up", "here", "empty", "slash", "absolute", "nul", "none"],
)
def test_a_path_that_leads_out_of_the_folder_is_refused(path: list[bytes]) -> None:
    info = {"name": b"Show", "files": [{"length": 1, "path": path}], "piece length": 1, "pieces": b""}

    with pytest.raises(Invalid):
        parse_torrent(metainfos.whole(info))


@pytest.mark.parametrize("name", [b"..", b".", b"", b"a/b", b"/etc/passwd", b"x" * 300])
def test_a_name_that_leads_out_of_the_folder_is_refused(name: bytes) -> None:
    with pytest.raises(Invalid):
        parse_torrent(metainfos.whole({"name": name, "length": 1, "pieces": b""}))


def test_a_v2_path_that_leads_out_of_the_folder_is_refused() -> None:
    tree = {b"..": {b"passwd": {b"": {"length": 1}}}}

    with pytest.raises(Invalid, match="lead out"):
        parse_torrent(metainfos.v2("Show", tree=tree))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>Not found</html>",
        b"i1e",
        b"le",
        b"de",
        b"d4:infolee",
        b"d4:infodee",
        b"l" * 3_000_000,
        b"d4:infod" * 100_000,
        metainfos.single()[:-1],
        metainfos.single() + b"trailing",
        metainfos.whole({"name": b"x", "length": -1, "pieces": b""}),
        metainfos.whole({"name": b"x", "length": 1 << 60, "pieces": b""}),
        metainfos.whole({"name": b"x", "length": b"1", "pieces": b""}),
        metainfos.whole({"name": b"x", "length": 1}),
        metainfos.whole({"name": b"x", "files": [], "pieces": b""}),
        metainfos.whole({"name": b"x", "files": b"no", "pieces": b""}),
        metainfos.whole({"name": b"x", "files": [b"no"], "pieces": b""}),
        metainfos.whole({"name": 5, "length": 1, "pieces": b""}),
        metainfos.whole({"name": b"x", "file tree": [], "meta version": 2}),
        metainfos.whole({"name": b"x", "file tree": {b"": {"length": 1}}, "meta version": 2}),
        metainfos.whole({"name": b"x", "file tree": {b"a": 1}, "meta version": 2}),
    ],
)
def test_what_is_no_torrent_file_is_told_in_a_sentence(raw: bytes) -> None:
    with pytest.raises(Invalid) as told:
        parse_torrent(raw)

    assert told.value.message.endswith(".")
    assert told.value.field == "source"


def test_a_tree_too_deep_is_refused() -> None:
    tree: dict[bytes, Any] = {b"": {"length": 1}}
    for _ in range(200):
        tree = {b"d": tree}

    with pytest.raises(Invalid):
        parse_torrent(metainfos.v2("Show", tree=tree))


def test_more_than_8_mib_are_refused() -> None:
    with pytest.raises(Invalid, match="8 MiB"):
        parse_torrent(b"d" * (MAX_BYTES + 1))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damage_is_never_more_than_invalid(data: st.DataObject) -> None:
    raw = bytearray(metainfos.several())
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=8)):
        raw[place] = data.draw(st.integers(0, 255))
    try:
        parsed = parse_torrent(bytes(raw))
    except Invalid:
        return

    assert all(".." not in file.path.split("/") for file in parsed.files)


def test_a_magnet_is_read() -> None:
    magnet = parse_magnet(
        f"magnet:?xt=urn:btih:{V1.upper()}&dn=Show+-+01&tr=udp%3A%2F%2Fone%3A1&tr=http%3A%2F%2Ftwo%2F"
    )

    assert magnet.v1 == V1
    assert magnet.v2 == ""
    assert magnet.name == "Show - 01"
    assert magnet.trackers == ("udp://one:1", "http://two/")
    assert magnet.infohash == V1


def test_a_base32_hash_is_the_same_hash() -> None:
    written = base64.b32encode(bytes.fromhex(V1)).decode().lower()

    assert parse_magnet(f"magnet:?xt=urn:btih:{written}").v1 == V1


def test_a_hybrid_magnet_has_both_hashes() -> None:
    magnet = parse_magnet(f" magnet:?xt.1=urn:btih:{V1}&xt.2=urn:btmh:1220{V2}\n")

    assert (magnet.v1, magnet.v2) == (V1, V2)
    assert parse_magnet(magnet.uri) == magnet


def test_a_v2_magnet_is_known_by_its_v2_hash() -> None:
    magnet = parse_magnet(f"MAGNET:?xt=urn:btmh:1220{V2}")

    assert magnet.infohash == V2
    assert magnet.name.startswith("magnet fedcba")


def test_a_magnet_cannot_make_the_engine_fetch_addresses() -> None:
    magnet = parse_magnet(f"magnet:?xt=urn:btih:{V1}&xs=http://10.0.0.1/x&as=http://10.0.0.1/y&ws=http://10.0.0.1/z")

    assert "10.0.0.1" not in magnet.uri


def test_peers_that_a_magnet_brings_stay_readable_to_the_engine() -> None:
    magnet = parse_magnet(f"magnet:?xt=urn:btih:{V1}&x.pe=127.0.0.1%3A6881&x.pe=%5B2001:db8::1%5D:6881&x.pe=a%26b%3Dc")

    assert magnet.uri.endswith("&x.pe=127.0.0.1:6881&x.pe=[2001:db8::1]:6881")


def test_control_characters_do_not_get_into_a_name() -> None:
    assert parse_magnet(f"magnet:?xt=urn:btih:{V1}&dn=a%1b%5b31mb%0ac").name == "a[31mbc"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "http://example.com/",
        "magnet:",
        "magnet:?dn=only+a+name",
        "magnet:?xt=urn:btih:123",
        "magnet:?xt=urn:btih:" + "g" * 40,
        "magnet:?xt=urn:btih:" + "1" * 32,
        "magnet:?xt=urn:btmh:1114" + "a" * 64,
        "magnet:?xt=urn:sha1:" + "a" * 32,
        "magnet:?" + "&".join(f"a{n}=b" for n in range(2000)),
        "magnet:?xt=urn:btih:" + V1 + "&dn=" + "x" * 70000,
        "magnet://[",
    ],
)
def test_what_is_no_magnet_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(Invalid) as told:
        parse_magnet(text)

    assert told.value.message


@given(st.binary(min_size=20, max_size=20), st.binary(min_size=32, max_size=32), st.text(max_size=50))
def test_what_is_read_from_a_magnet_can_be_read_again(v1: bytes, v2: bytes, name: str) -> None:
    first = parse_magnet(f"magnet:?xt=urn:btih:{v1.hex()}&xt=urn:btmh:1220{v2.hex()}&dn={quote(name)}")

    assert parse_magnet(first.uri) == first
