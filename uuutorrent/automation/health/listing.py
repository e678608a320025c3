"""Whether what a torrent lists can be an episode at all: told by names and sizes, before a byte of it is here. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from uuutorrent.releases.contents import VIDEO
from uuutorrent.torrents.engine import TorrentFile

RUNS = frozenset(
    {
        *("exe", "com", "scr", "bat", "cmd", "pif", "msi", "msix", "lnk", "vbs", "vbe", "js", "jse", "wsf", "wsh"),
        *("hta", "ps1", "psm1", "jar", "apk", "dmg", "app", "cpl", "reg", "url", "dll", "chm", "iso", "img"),
    }
)
"""Endings of files that do something when they are opened, and of disk images, which systems open by themselves."""
_ARCHIVE = re.compile(r"\.(?:zip|rar|7z|r\d\d|(?:zip|7z|rar)\.\d{3})$", re.IGNORECASE)
_PASSWORD = re.compile(
    r"pass ?word|passwort|contraseña|senha|how[ ._-]?to[ ._-]?(?:open|extract|unpack)", re.IGNORECASE
)


def ending(path: str) -> str:
    """What the name of a file ends in, after its last dot, in lower case."""
    name = path.rsplit("/", 1)[-1].rstrip(" .")
    return name.rsplit(".", 1)[-1].lower() if "." in name else ""


def is_video(path: str) -> bool:
    """Whether the name is that of a video."""
    return ending(path) in VIDEO


def is_archive(path: str) -> bool:
    """Whether the name is that of an archive, or of a part of one."""
    return _ARCHIVE.search(path) is not None


def main(files: Sequence[TorrentFile]) -> TorrentFile | None:
    """What a torrent is about: the largest of its wanted files."""
    return max((file for file in files if file.priority), key=lambda file: file.size_bytes, default=None)


def episode(files: Sequence[TorrentFile], places: Collection[int]) -> TorrentFile | None:
    """The largest of some files, a video rather than anything else."""
    some = [file for file in files if file.index in places]
    return main([file for file in some if is_video(file.path)]) or main(some)


def trouble(files: Sequence[TorrentFile]) -> str:
    """What is wrong with a list of files that is to be an anime, in words that can follow "because"; mostly nothing.

    What lies beside a good video (samples, notes, fonts, a program even) is fine: nobody has to open it.
    """
    chief = main(files)
    if chief is None:
        return ""
    name = chief.path.rsplit("/", 1)[-1]
    if ending(chief.path) in RUNS:
        return f"what it holds is no video but {name}"
    if is_archive(chief.path) and any(_PASSWORD.search(file.path) for file in files):
        return f"what it holds is an archive that asks for a password, {name}"
    return ""
