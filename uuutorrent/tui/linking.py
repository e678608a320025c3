"""Linking an AniList account: where to sign in, and the token to paste."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from uuutorrent.anime.watchlist import Link
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.tui.dialogs import Dialog, Pasted
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Panel, said

LONGEST_PASTE = 8192
"""Characters, line breaks included, of which a token of 4 KB may come out."""


class Token(Pasted):
    """A token; it has no blanks, whatever the paste brings along."""

    def joined(self, text: str) -> str:
        """All of it, without the breaks."""
        return "".join(text.split())[:LONGEST_PASTE]


class LinkDialog(Dialog[Link]):
    """Shows the address, takes the token; the answer is the link."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+y", "copy", "Copy the address", id="link.copy"),
    ]

    def __init__(self, desk: Desk, address: str) -> None:
        super().__init__("Link your AniList account")
        self.desk = desk
        self._address = address

    def body(self) -> ComposeResult:
        """Two steps."""
        reach = self.desk.config.ssh.reach(self.desk.user.name)
        yield Panel(
            said(Span("1 ", "key"), "Open this address in a browser, and sign in there:"),
            said(Span(self._address, "accent"), wraps=True),
            said(Span(f"Where copying fails: {reach} link prints it.", "dim"), wraps=True),
            said(),
            said(
                Span("2 ", "key"),
                "AniList shows a long token. Copy all of it, paste it here, and press Enter:",
                wraps=True,
            ),
            classes="words",
        )
        yield Token(placeholder="paste the token", password=True, compact=True)

    def action_copy(self) -> None:
        """Copy the address."""
        self.shell.copy(self._address, "the address")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self._link(event.value)

    @work(group="link", exclusive=True)
    async def _link(self, token: str) -> None:
        self.busy("Asking AniList whose token this is…")
        try:
            link = await self.desk.watchlists.link(self.desk.user, token)
        except UuuError as e:
            self.failed(e)
            self.query_one(Token).value = ""
            return
        self.dismiss(link)
