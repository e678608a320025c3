"""Questions about torrents: one to add, what to delete, how fast they may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Input

from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid, UuuError
from uuutorrent.torrents.holdings import Added, Holding
from uuutorrent.tui.amounts import size_of
from uuutorrent.tui.dialogs import Ask, Choice, Dialog, Pasted
from uuutorrent.tui.figures import count, size
from uuutorrent.tui.form import Field, FormDialog
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Panel, Said, said

LONGEST_GIVEN = 16_384
"""Characters of a magnet or an address; magnets carry many trackers."""
MOST_NAMED = 5
FASTEST_BPS = 10_000_000 << 10


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


class LimitsDialog(FormDialog[tuple[int, int]]):
    """Asks for two speed limits; the answer is down and up in bytes per second, 0 for none."""

    def __init__(self, what: str, down_bps: int, up_bps: int) -> None:
        text = "In KiB/s, or with a unit: 500, 2M. Empty or 0 is no limit. Enter sets them."
        now = {"down": show_limit(down_bps), "up": show_limit(up_bps)}
        super().__init__("Speed limits", _LIMITS, now, said(Span(what, "accent")), said(text, wraps=True), longest=20)

    async def keep(self, typed: Mapping[str, str]) -> tuple[int, int]:
        """Nothing is kept here: whoever asked sets them."""
        return limit_bps(typed["down"]), limit_bps(typed["up"])


def limit_bps(text: str) -> int:
    """A speed limit as typed, in bytes per second; 0 for none.

    Raises:
        Invalid: it is not a number, or its unit is not known.
    """
    try:
        amount = text.strip().removesuffix("/s")
        such_as = "type a number of KiB/s such as 500, or 2M"
        return size_of(amount, noun="speed", such_as=such_as, bare="k", most=FASTEST_BPS) if amount else 0
    except Invalid as e:
        raise Invalid(e.message, field="limit") from e


def show_limit(bps: int) -> str:
    """A speed limit as it can be typed again."""
    return str(bps >> 10) if bps else ""


_LIMITS = (
    Field("down", "Down, at most", "no limit", "", show_limit, limit_bps),
    Field("up", "Up, at most", "no limit", "", show_limit, limit_bps),
)


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
