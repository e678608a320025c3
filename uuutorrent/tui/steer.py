"""Questions about torrents: one to add, what to delete, how fast they may be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid, UuuError
from uuutorrent.torrents.holdings import Added, Holding
from uuutorrent.tui.dialogs import Ask, Choice, Dialog, Pasted, Typed
from uuutorrent.tui.figures import count, size
from uuutorrent.tui.line import Line, Span
from uuutorrent.tui.panel import Panel, Said, said

LONGEST_GIVEN = 16_384
"""Characters of a magnet or an address; magnets carry many trackers."""
MOST_NAMED = 5
_LIMIT = re.compile(r"(\d{1,7}(?:\.\d)?)\s*([kmg]?)(?:i?b)?(?:/s)?", re.IGNORECASE)
_FACTORS = {"": 1 << 10, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class AddTorrentDialog(Dialog[Added]):
    """Takes a magnet or the address of a .torrent; the answer is what was added."""

    def __init__(self, desk: Desk, given: str = "") -> None:
        super().__init__("Add a torrent")
        self.desk = desk
        self._given = " ".join(given.split())[:LONGEST_GIVEN]

    def body(self) -> ComposeResult:
        """What to add, and the other way in."""
        reach = self.desk.config.ssh.reach(self.desk.user.name)
        yield Pasted(
            self._given, placeholder="a magnet, or the address of a .torrent", compact=True, max_length=LONGEST_GIVEN
        )
        yield Panel(
            said("Enter adds it. A .torrent file on your machine goes in with", wraps=True),
            said(Span(f"{reach} add - < file.torrent", "key")),
            classes="words",
        )

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._add(event.value.strip())

    @work(group="add", exclusive=True)
    async def _add(self, given: str) -> None:
        self.busy("Adding…" if given.startswith("magnet:") else "Fetching the .torrent…")
        try:
            added = await self.desk.library.add_given(self.desk.user, given)
        except UuuError as e:
            self.failed(e)
            return
        self.dismiss(added)


class LimitsDialog(Dialog[tuple[int, int]]):
    """Asks for two speed limits; the answer is down and up in bytes per second, 0 for none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Up", id="limits.up", show=False),
        Binding("down", "app.focus_next", "Down", id="limits.down", show=False),
    ]

    def __init__(self, what: str, down_bps: int, up_bps: int) -> None:
        super().__init__("Speed limits")
        self._what = what
        self._now = (down_bps, up_bps)
        self.add_class("form")

    def body(self) -> ComposeResult:
        """Both limits."""
        text = "In KiB/s, or with a unit: 500, 2M. Empty or 0 is no limit. Enter sets them."
        yield Panel(said(Span(self._what, "accent")), said(text, wraps=True), classes="words")
        for name, bps in zip(("down", "up"), self._now, strict=True):
            with Horizontal(classes="field"):
                yield Line(f"{name.title()}, at most", classes="label")
                yield Typed(str(bps >> 10) if bps else "", placeholder="no limit", compact=True, max_length=20, id=name)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        try:
            down, up = (limit_bps(self.query_one(f"#{name}", Input).value) for name in ("down", "up"))
        except Invalid as e:
            self.failed(e)
            return
        self.dismiss((down, up))


def limit_bps(text: str) -> int:
    """A speed limit as typed, in bytes per second; 0 for none.

    Raises:
        Invalid: it is not a number, or its unit is not known.
    """
    text = text.strip()
    if not text:
        return 0
    if (read := _LIMIT.fullmatch(text)) is None:
        raise Invalid(f"{text} is no speed: type a number of KiB/s such as 500, or 2M", field="limit")
    return int(float(read[1]) * _FACTORS[read[2].lower()])


def deletion(holdings: Sequence[Holding]) -> Ask:
    """Asks whether to give these up, and says what is lost; answers "files" or "keep"."""
    total = size(sum(holding.completed_bytes for holding in holdings))
    shared = sum(holding.shared for holding in holdings)
    names = [said(Span(holding.name, "accent")) for holding in holdings[:MOST_NAMED]]
    if len(holdings) > MOST_NAMED:
        names.append(said(Span(f"and {len(holdings) - MOST_NAMED} more", "accent")))
    title = "Delete this torrent?" if len(holdings) == 1 else f"Delete these {len(holdings)} torrents?"
    choices = (
        Choice("f", f"Delete, files too ({total} are here)", "files", is_grave=True),
        Choice("k", "Delete, but keep the files on the server's disk", "keep"),
    )
    return Ask(title, *names, *_lost(holdings, shared), choices=choices)


def _lost(holdings: Sequence[Holding], shared: int) -> list[Said]:
    unfinished = sum(not holding.is_complete for holding in holdings)
    lines = [f"{count(unfinished, 'download')} not complete yet will stop."] if unfinished else []
    if unfinished < len(holdings):
        lines.append("Either way you cannot fetch the files over SFTP any more.")
    if shared:
        whom = "it" if len(holdings) == 1 else f"{shared} of them"
        lines.append(f"Others have {whom} too: for them nothing changes, and the files stay.")
    return [said(Span(line, "dim"), wraps=True) for line in lines]
