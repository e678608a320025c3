"""Small .torrent files, made by hand so that every byte of them is known."""

from __future__ import annotations

import hashlib
from typing import Any

from bencode2 import bencode


def single(name: str = "Show - 01.mkv", size: int = 1000, **info: Any) -> bytes:
    """A v1 torrent of one file."""
    return whole({"name": name.encode(), "length": size, "piece length": 16384, "pieces": _pieces(name), **info})


def several(name: str = "Show", files: dict[str, int] | None = None, **info: Any) -> bytes:
    """A v1 torrent of several files, by path below its folder."""
    listed = [
        {"length": size, "path": [part.encode() for part in path.split("/")]}
        for path, size in (files or {"Show - 01.mkv": 1000, "Show - 02.mkv": 2000}).items()
    ]
    return whole({"name": name.encode(), "files": listed, "piece length": 16384, "pieces": _pieces(name), **info})


def v2(name: str = "Show - 01.mkv", size: int = 1000, *, tree: dict[bytes, Any] | None = None, **info: Any) -> bytes:
    """A v2 torrent of one file, or of those of a file tree."""
    tree = tree or {name.encode(): {b"": {"length": size, "pieces root": hashlib.sha256(name.encode()).digest()}}}
    return whole({"name": name.encode(), "file tree": tree, "meta version": 2, "piece length": 16384, **info})


def hybrid(name: str = "Show - 01.mkv", size: int = 1000) -> bytes:
    """A torrent of one file that is v1 and v2 at once."""
    return v2(name, size, length=size, pieces=_pieces(name))


def whole(info: dict[Any, Any], **around: Any) -> bytes:
    """A .torrent around an info dictionary."""
    return bencode({"announce": b"http://127.0.0.1:9/announce", "info": info, **around})


def v1_of(raw_info: dict[Any, Any]) -> str:
    return hashlib.sha1(bencode(raw_info)).hexdigest()


def _pieces(name: str) -> bytes:
    return hashlib.sha1(name.encode()).digest()
