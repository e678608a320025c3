"""Choosing a password: when one wants another, and before anything else after a one-time password."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid, Refused, UuuError
from uuutorrent.tui.dialogs import Dialog, Typed
from uuutorrent.tui.line import Line
from uuutorrent.tui.panel import Panel, said

LONGEST = 200
_RULE = "10 to 72 bytes, hard to guess: four unrelated words are good."


class PasswordDialog(Dialog[bool]):
    """Asks for the old and twice for the new password; the answer is True once it is changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Back", id="password.up", show=False),
        Binding("down", "app.focus_next", "On", id="password.down", show=False),
    ]
    TEXT: ClassVar[str] = ""
    OLD: ClassVar[tuple[str, str]] = ("Old password", "empty if you have none")

    def __init__(self, desk: Desk, title: str = "Change your password") -> None:
        super().__init__(title)
        self.desk = desk
        self.add_class("form")

    def body(self) -> ComposeResult:
        """The three passwords."""
        text = [said(self.TEXT, wraps=True)] if self.TEXT else []
        yield Panel(*text, said(f"A password has {_RULE}", wraps=True), classes="words")
        for name, label, hint in (("old", *self.OLD), ("new", "New password", ""), ("again", "New, once more", "")):
            with Horizontal(classes="field"):
                yield Line(label, classes="label")
                yield Typed(placeholder=hint, password=True, compact=True, max_length=LONGEST, id=name)

    @on(Input.Submitted)
    def _on(self, event: Input.Submitted) -> None:
        if event.input.id == "again":
            self._change()
        else:
            self.focus_next()

    def _change(self) -> None:
        old, new, again = (self.query_one(f"#{name}", Input).value for name in ("old", "new", "again"))
        if new != again:
            self.failed(Invalid("the new password and its repetition differ; type both again", field="password"))
            self._again("#new")
            return
        self._write(old, new)

    @work(group="password", exclusive=True)
    async def _write(self, old: str, new: str) -> None:
        self.busy("Checking…")
        try:
            await self.desk.accounts.set_password(self.desk.user, old, new)
        except UuuError as e:
            self.failed(e)
            self._again("#old" if isinstance(e, Refused) else "#new")
            return
        self.dismiss(True)
        self.shell.toast("Your password is changed.")

    def _again(self, first: str) -> None:
        for name in ("#new", "#again", first):
            self.query_one(name, Input).value = ""
        self.query_one(first, Input).focus()


class NewPasswordDialog(PasswordDialog):
    """After a one-time password: nothing else can be done before this is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.quit", "Leave", id="password.leave")]
    TEXT = "You signed in with a one-time password, which somebody else knows. Choose one that only you know."
    OLD = ("One-time password", "the one you just typed")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, "Welcome! First, a password of your own")
