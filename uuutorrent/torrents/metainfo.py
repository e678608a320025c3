"""What a .torrent file or a magnet says: hashes, name, files, trackers. Pure: bytes and text in, values out.

Source: BEP 3 (metainfo), BEP 9 (magnets), BEP 27 (private), BEP 47 (padding files), BEP 52 (version 2, hybrids).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from bencode2 import BencodeDecodeError, bdecode, bencode

from uuutorrent.errors import Invalid
from uuutorrent.torrents.engine import InfoHash

MAX_BYTES = 8 << 20
"""The largest .torrent taken."""
MAX_FILES = 100_000
MAX_DEPTH = 40
"""Folders inside each other."""
MAX_PEERS = 50
"""Addresses of peers that a magnet may bring."""
MAX_NAME_BYTES = 255
"""The longest name a Linux file system takes."""

_Dict = Mapping[bytes, object]


@dataclass(frozen=True, slots=True)
class MetaFile:
    """One file of a torrent; `path` has "/" between parts and begins with the torrent's name when there are several."""

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Magnet:
    """What a magnet link says. `v1` and `v2` are hex, lower case, empty when it has no such hash."""

    v1: str
    v2: str
    name: str
    uri: str
    """The link, rebuilt from the parts that are understood."""
    trackers: tuple[str, ...] = ()

    @property
    def infohash(self) -> InfoHash:
        """The hash it is known by to people: v1, or v2 when it has no v1."""
        return InfoHash(self.v1 or self.v2)


@dataclass(frozen=True, slots=True)
class Metainfo:
    """What a .torrent file says. `v1` and `v2` are hex, lower case, empty when it has no such hash."""

    v1: str
    v2: str
    name: str
    files: tuple[MetaFile, ...]
    size_bytes: int
    private: bool
    trackers: tuple[str, ...]
    raw: bytes

    @property
    def infohash(self) -> InfoHash:
        """The hash it is known by to people: v1, or v2 when it has no v1."""
        return InfoHash(self.v1 or self.v2)


def parse_torrent(raw: bytes) -> Metainfo:
    """Read the bytes of a .torrent file.

    Raises:
        Invalid: it is none, it is damaged, or its file names would leave the download folder.
    """
    if len(raw) > MAX_BYTES:
        raise Invalid("This torrent file is larger than 8 MiB; use a magnet link instead.", field="source")
    try:
        whole = bdecode(raw)
    except (BencodeDecodeError, RecursionError) as e:
        raise Invalid("This is not a torrent file, or it is damaged.", field="source") from e
    if not isinstance(whole, dict) or not isinstance(whole.get(b"info"), dict):
        raise Invalid("This is not a torrent file: it describes no files.", field="source")
    info: _Dict = whole[b"info"]
    encoded = bencode(info)
    # The decoder takes only the one canonical form, so encoding again gives the very bytes that the hash is over.
    if b"4:info" + encoded not in raw:
        raise Invalid("This torrent file is not written in the standard form.", field="source")
    name = _name(info)
    has_v2 = info.get(b"meta version") == 2 and b"file tree" in info
    has_v1 = b"pieces" in info
    if not (has_v1 or has_v2):
        raise Invalid("This torrent file has no checksums; it cannot be downloaded.", field="source")
    files = tuple(_v1_files(info, name) if has_v1 else _v2_files(info, name))
    if not files:
        raise Invalid("This torrent has no files.", field="source")
    return Metainfo(
        v1=hashlib.sha1(encoded, usedforsecurity=False).hexdigest() if has_v1 else "",
        v2=hashlib.sha256(encoded).hexdigest() if has_v2 else "",
        name=name,
        files=files,
        size_bytes=sum(file.size_bytes for file in files),
        private=info.get(b"private") == 1,
        trackers=tuple(dict.fromkeys(_trackers(whole))),
        raw=raw,
    )


def parse_magnet(text: str) -> Magnet:
    """Read a magnet link; of several hashes, the first of each version counts (a hybrid has one of both).

    Raises:
        Invalid: it is none, or holds no usable hash.
    """
    if len(text) > 64 << 10:
        raise Invalid("This magnet link is too long.", field="source")
    try:
        parts = urlsplit(text.strip())
        fields = parse_qsl(parts.query, max_num_fields=1000)
    except ValueError as e:
        raise Invalid("This magnet link cannot be read.", field="source") from e
    if parts.scheme.lower() != "magnet":
        raise Invalid("This is not a magnet link.", field="source")
    v1 = v2 = name = ""
    trackers: list[str] = []
    for key, value in fields:
        bare = key.partition(".")[0].lower()  # several of a kind may be numbered: xt.1, tr.2
        if bare == "xt":
            v1, v2 = v1 or _btih(value), v2 or _btmh(value)
        elif bare == "dn":
            name = name or _shown(value)
        elif bare == "tr" and _is_tracker(value):
            trackers.append(value)
    if not (v1 or v2):
        raise Invalid("This magnet link has no BitTorrent hash (xt=urn:btih:… or urn:btmh:…).", field="source")
    kept = tuple(dict.fromkeys(trackers))
    peers = [value for key, value in fields if key.lower() == "x.pe"]
    return Magnet(v1, v2, name or f"magnet {(v1 or v2)[:12]}", _magnet_uri(v1, v2, name, kept, peers), kept)


def _magnet_uri(v1: str, v2: str, name: str, trackers: tuple[str, ...], peers: list[str]) -> str:
    # Only what is understood is passed on: `as`, `xs` and `ws` would make the engine fetch addresses of the
    # link's choosing.
    hashes = [f"xt=urn:btih:{v1}"] * bool(v1) + [f"xt=urn:btmh:1220{v2}"] * bool(v2)
    others = [urlencode([("dn", name)])] * bool(name) + [urlencode([("tr", url)]) for url in trackers]
    # libtorrent does not undo percent signs in a peer's address.
    known = [f"x.pe={peer}" for peer in peers[:MAX_PEERS] if re.fullmatch(r"[0-9A-Za-z.:\[\]-]+", peer)]
    return "magnet:?" + "&".join([*hashes, *others, *known])


def _btih(value: str) -> str:
    found = re.fullmatch(r"urn:btih:(?:([0-9a-f]{40})|([a-z2-7]{32}))", value.strip(), re.IGNORECASE)
    if not found:
        return ""
    if found[1]:
        return found[1].lower()
    try:
        return base64.b32decode(found[2].upper()).hex()
    except binascii.Error:
        return ""


def _btmh(value: str) -> str:
    # 12 is sha2-256, 20 its 32 bytes. Source: multihash, BEP 9.
    found = re.fullmatch(r"urn:btmh:1220([0-9a-f]{64})", value.strip(), re.IGNORECASE)
    return found[1].lower() if found else ""


def _trackers(whole: _Dict) -> Iterator[str]:
    tiers = whole.get(b"announce-list")
    listed = [url for tier in tiers if isinstance(tier, list) for url in tier] if isinstance(tiers, list) else []
    for url in (whole.get(b"announce"), *listed):
        if isinstance(url, bytes) and _is_tracker(text := url.decode("utf-8", "replace")):
            yield text


def _is_tracker(url: str) -> bool:
    return re.match(r"(?:https?|udp|wss?)://[^\s/]", url, re.IGNORECASE) is not None and len(url) <= 2048


def _name(info: _Dict) -> str:
    name = info.get(b"name.utf-8", info.get(b"name"))
    if not isinstance(name, bytes) or not name:
        raise Invalid("This torrent file has no name inside.", field="source")
    return _part(name)


def _v1_files(info: _Dict, name: str) -> Iterator[MetaFile]:
    listed = info.get(b"files")
    if listed is None:
        yield MetaFile(name, _size(info.get(b"length")))
        return
    if not isinstance(listed, list) or len(listed) > MAX_FILES:
        raise Invalid("The list of files in this torrent file cannot be used.", field="source")
    for entry in listed:
        path = entry.get(b"path.utf-8", entry.get(b"path")) if isinstance(entry, dict) else None
        if not isinstance(path, list) or not path or len(path) > MAX_DEPTH:
            raise Invalid("The list of files in this torrent file cannot be used.", field="source")
        size = _size(entry.get(b"length"))
        parts = [_part(part) for part in path]
        if b"p" not in _flags(entry):
            yield MetaFile("/".join([name, *parts]), size)


def _v2_files(info: _Dict, name: str) -> Iterator[MetaFile]:
    tree = info[b"file tree"]
    if not isinstance(tree, dict):
        raise Invalid("The list of files in this torrent file cannot be used.", field="source")
    files = list(_leaves(tree, ()))
    if len(files) > MAX_FILES:
        raise Invalid("The list of files in this torrent file cannot be used.", field="source")
    single = len(files) == 1 and files[0].path == name
    yield from files if single else (MetaFile(f"{name}/{file.path}", file.size_bytes) for file in files)


def _leaves(tree: _Dict, above: tuple[str, ...]) -> Iterator[MetaFile]:
    if len(above) > MAX_DEPTH:
        raise Invalid("The list of files in this torrent file cannot be used.", field="source")
    for key, below in tree.items():
        if not isinstance(below, dict):
            raise Invalid("The list of files in this torrent file cannot be used.", field="source")
        if key == b"":
            if not above:
                raise Invalid("The list of files in this torrent file cannot be used.", field="source")
            if b"p" not in _flags(below):
                yield MetaFile("/".join(above), _size(below.get(b"length")))
        else:
            yield from _leaves(below, (*above, _part(key)))


def _flags(entry: _Dict) -> bytes:
    flags = entry.get(b"attr", b"")
    return flags if isinstance(flags, bytes) else b""


def _part(raw: object) -> str:
    """One component of a path, or a refusal of what would lead out of the folder."""
    if not isinstance(raw, bytes) or raw in (b"", b".", b"..") or b"/" in raw or b"\0" in raw:
        raise Invalid("This torrent has file names that lead out of its folder; it was not added.", field="source")
    if len(raw) > MAX_NAME_BYTES:
        raise Invalid("This torrent has file names that are too long for the disk.", field="source")
    return raw.decode("utf-8", "replace")


def _size(raw: object) -> int:
    if not isinstance(raw, int) or not 0 <= raw < 1 << 50:
        raise Invalid("This torrent file names an impossible file size.", field="source")
    return raw


def _shown(name: str) -> str:
    return "".join(c for c in name if c.isprintable()).strip()[:MAX_NAME_BYTES]
