"""The public keys that sign one in: seeing, adding and removing them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from uuutorrent.accounts import Key
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.dialogs import Ask, Choice, Dialog, Pasted
from uuutorrent.tui.figures import ago
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Panel, said
from uuutorrent.tui.table import Table

COLUMNS = (
    Column("comment", "Key", 14, flex=1),
    Column("kind", "Kind", 8, priority=3),
    Column("added", "Added", 11, priority=1),
    Column("used", "Last used", 11),
    Column("fingerprint", "Fingerprint", 20, flex=1, priority=2),
)
LONGEST_LINE = 8192
"""Characters of a public key's line."""


class KeysDialog(Dialog[None]):
    """The list of keys; a pasted key is added."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add", id="keys.add"),
        Binding("x,delete", "remove", "Remove", id="keys.remove"),
        Binding("escape", "cancel", "Close", id="keys.close"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__("SSH keys that sign you in")
        self.desk = desk
        self._keys: tuple[Key, ...] = ()
        self.add_class("large")

    def body(self) -> ComposeResult:
        """The keys."""
        yield Table(COLUMNS, empty="None yet: you sign in by password. Press a, and paste a line of a .pub file.")

    def on_mount(self) -> None:
        """Read them."""
        self._load()

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted here is to be added."""
        self._ask_for_key(event.text)

    def action_add(self) -> None:
        """Add a key."""
        self._ask_for_key("")

    @work(group="dialog", exclusive=True)
    async def _ask_for_key(self, given: str) -> None:
        if await self.app.push_screen_wait(AddKeyDialog(self.desk, given)) is not None:
            self._load()

    @work(group="dialog", exclusive=True)
    async def action_remove(self) -> None:
        """Remove the key under the cursor."""
        key = next((key for key in self._keys if str(key.id) == self.query_one(Table).key), None)
        if key is None:
            return
        warning = "If nothing else signs you in, you lock yourself out." if len(self._keys) == 1 else ""
        text = (
            said(Span(_name(key), "accent")),
            said(Span(key.fingerprint, "dim")),
            said(Span(warning, "warn"), wraps=True),
        )
        choices = (Choice("x", "Remove it: it signs nobody in any more", "remove", is_grave=True),)
        if await self.app.push_screen_wait(Ask("Remove this key?", *text, choices=choices)):
            await self.desk.accounts.remove_key(self.desk.user, str(key.id))
            self._load()

    @work(group="keys", exclusive=True)
    async def _load(self) -> None:
        try:
            self._keys = await self.desk.accounts.keys(self.desk.user)
        except UuuError as e:
            self.failed(e)
            return
        now = datetime.now(UTC)
        self.query_one(Table).set_rows([_row(key, now) for key in self._keys])


class AddKeyDialog(Dialog[Key]):
    """Takes the line of a .pub file; the answer is the key."""

    TEXT: ClassVar[str] = ""

    def __init__(self, desk: Desk, given: str = "") -> None:
        super().__init__("Add an SSH key")
        self.desk = desk
        self._given = " ".join(given.split())[:LONGEST_LINE]

    def body(self) -> ComposeResult:
        """What to paste."""
        text = [said(Span(self.TEXT, "warn"), wraps=True)] if self.TEXT else []
        yield Panel(
            *text,
            said(
                "On your machine, ",
                Span("cat ~/.ssh/id_ed25519.pub", "key"),
                " shows the line to paste here.",
                wraps=True,
            ),
            said(Span("No such file? ssh-keygen -t ed25519 makes one.", "dim"), wraps=True),
            classes="words",
        )
        yield Pasted(self._given, placeholder="ssh-ed25519 AAAA… you@laptop", compact=True, max_length=LONGEST_LINE)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self._add(event.value)

    @work(group="add", exclusive=True)
    async def _add(self, line: str) -> None:
        self.busy("Adding…")
        try:
            key = await self.desk.accounts.add_key(self.desk.user, line)
        except UuuError as e:
            self.failed(e)
            return
        self.dismiss(key)
        self.shell.toast(f"{_name(key)} signs you in from now on.")


class FirstKeyDialog(AddKeyDialog):
    """After the first sign-in of an admin from outside, who comes back by key only."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Later", id="keys.later")]
    TEXT = "From where you are, admins sign in with a key only. Without one here you cannot come back."


def _row(key: Key, now: datetime) -> Row:
    used = Piece(ago(key.last_used_at, now), "good") if key.last_used_at else Piece("never", "dim")
    kind = key.public_key.split()[0].removeprefix("ssh-").removeprefix("sk-").split("@")[0].split("-")[0]
    cells = (_name(key), Piece(kind, "dim"), ago(key.added_at, now), used, Piece(key.fingerprint, "dim"))
    return Row(str(key.id), cells)


def _name(key: Key) -> str:
    return key.comment or key.fingerprint[:20]
