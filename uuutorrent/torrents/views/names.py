"""Names that Windows, macOS and Linux all take, and that nothing else in their folder has. No I/O.

Source: Microsoft, "Naming Files, Paths, and Namespaces"; 255 bytes is the limit of most file systems of Linux.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 255
"""Bytes of a name in UTF-8."""
LONGEST_ENDING = 16
"""Characters behind the last dot that are kept when a name is cut."""

_NOT_TAKEN = re.compile(
    r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]'
)
"""What some system refuses, what drives a terminal, and what makes a name look like another."""
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)", re.I)
_PLAIN = re.compile(r"[A-Za-z0-9_\[(](?:[A-Za-z0-9_ .,!&'()\[\]+-]{0,198}[A-Za-z0-9_)\]])?")


def safe(name: str) -> str:
    """The name itself where every system takes it, or what comes closest."""
    if _PLAIN.fullmatch(name) and not _RESERVED.match(name):
        return name
    shown = unicodedata.normalize("NFC", _NOT_TAKEN.sub("_", name)).strip(" ").rstrip(" .")
    if _RESERVED.match(shown):
        shown = f"_{shown}"
    return _cut(shown or "_", "")


def marked(name: str, mark: str) -> str:
    """The same name with something before its ending: "Show (2).mkv". Never longer than a name may be."""
    return _cut(name, f" ({mark})")


def same(name: str) -> str:
    """What two names have in common that Windows or macOS cannot tell apart."""
    return (
        name.lower() if name.isascii() else unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
    )


class Names:
    """The names in one folder. Who comes first has the bare name; a second one has its mark beside it."""

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def give(self, name: str, mark: str) -> str:
        """A safe name like this one that is given once. `mark` is what stays the same of the thing that it is for."""
        shown = candidate = safe(name)
        n = 1
        while (key := same(candidate)) in self._taken:
            candidate = marked(shown, mark if n == 1 else f"{mark}-{n}")
            n += 1
        self._taken.add(key)
        return candidate


def _cut(name: str, before_ending: str) -> str:
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending) > LONGEST_ENDING or " " in ending:
        stem, dot, ending = name, "", ""
    behind = f"{before_ending}{dot}{ending}"
    room = LONGEST - len(behind.encode())
    if len(stem.encode()) > room:
        # A cut in the middle of a letter leaves it out.
        stem = stem.encode()[:room].decode(errors="ignore").rstrip(" .") or "_"
    return f"{stem}{behind}"
