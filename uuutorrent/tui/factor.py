"""The second factor: setting it up with a phone, the recovery codes, new ones, and switching it off."""

from __future__ import annotations

import re
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.secondfactors import Factor
from uuutorrent.tui.dialogs import Ask, Choice, Dialog, Typed
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Panel, said
from uuutorrent.tui.qr import Qr
from uuutorrent.tui.shell import Shell
from uuutorrent.tui.stepup import LONGEST, CodeDialog

KEPT = "kept"
ROOMY, FITS = 26, 21
"""From so many lines on there is room for a frame around the code, and for the code."""


class EnrolDialog(Dialog[bool]):
    """Shows the QR code, takes a first code, and shows the recovery codes; the answer is True once it is on."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+y", "copy", "Copy the secret", id="factor.copy")]
    TEXT: ClassVar[str] = "With it, a stolen password is not enough: a code of your phone is asked for too."

    def __init__(self, desk: Desk) -> None:
        super().__init__("Set up a second factor")
        self.desk = desk
        self._secret = ""
        self.add_class("enrol")

    def body(self) -> ComposeResult:
        """The code for the camera, and beside it what to do."""
        with Horizontal(id="enrol"):
            yield Qr("", border=1)
            with Vertical():
                yield Panel(id="steps", classes="words")
                yield Typed(placeholder="123456", compact=True, max_length=LONGEST)

    def on_mount(self) -> None:
        """Make a secret."""
        self._begin()

    def on_resize(self) -> None:
        """The secret and the line for a code go before the code for the camera."""
        height = self.app.size.height
        self.set_class(height < ROOMY, "tight")
        self.query_one(Qr).display = height >= FITS

    @work(group="factor", exclusive=True)
    async def _begin(self) -> None:
        try:
            begun = await self.desk.second_factors.begin(self.desk.user)
        except UuuError as e:
            self.failed(e)
            return
        self._secret = begun.secret
        # The label says the issuer as well: without it said twice the code fits 24 lines, whoever it is for.
        self.query_one(Qr).encode(begun.uri.partition("&issuer=")[0])
        self.query_one("#steps", Panel).fill(
            said(Span(self.TEXT, "dim"), wraps=True),
            said(),
            said(Span("1 ", "key"), "Scan this with an app that makes codes, or type into it:", wraps=True),
            said(Span(" ".join(re.findall("....", begun.secret)), "accent"), wraps=True),
            said(),
            said(Span("2 ", "key"), "Type the six digits it shows:", wraps=True),
        )

    def action_copy(self) -> None:
        """Copy the secret."""
        self.shell.copy(self._secret, "the secret")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._confirm(event.value)

    @work(group="factor", exclusive=True)
    async def _confirm(self, code: str) -> None:
        self.busy("Looking…")
        desk = self.desk
        try:
            codes = await desk.second_factors.confirm(desk.user, code, desk.here.proof)
        except UuuError as e:
            self.failed(e)
            self.query_one(Input).value = ""
            return
        self.status.say("")
        await self.app.push_screen_wait(RecoveryDialog(codes))
        self.dismiss(True)
        self.shell.toast("Your second factor is on.")


class FirstEnrolDialog(EnrolDialog):
    """Where one is needed: nothing else can be done before it is set up."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.quit", "Leave", id="factor.leave")]
    TEXT = "You need a second factor here before anything else: a code of your phone, beside your password."


class RecoveryDialog(Ask):
    """Shows recovery codes, this once; it is not left by mistake."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Stay", id="recovery.stay", show=False)]

    def __init__(self, codes: tuple[str, ...]) -> None:
        rows = [said(Span(f"{one}   {other}", "accent")) for one, other in zip(codes[::2], codes[1::2], strict=True)]
        super().__init__(
            "Your recovery codes",
            said("Each of them works once in place of a code, should you lose your phone.", wraps=True),
            said("Keep them where your phone is not. They are shown only now.", wraps=True),
            said(),
            *rows,
            choices=(Choice("k", "I have kept them", KEPT), Choice("y", "Copy them", "copy")),
        )
        self._codes = codes

    def chosen(self, answer: str) -> None:
        """Copy them, or go on."""
        if answer == KEPT:
            super().chosen(answer)
        else:
            self.shell.copy("\n".join(self._codes), "the codes")

    def action_cancel(self) -> None:
        """Only who says that they kept them goes on."""
        self.status.say("They are not shown again: keep them, then press k.")


async def manage(shell: Shell, desk: Desk) -> None:
    """Set it up where there is none; else new recovery codes, or off. For workers."""
    now = await desk.second_factors.of(desk.user)
    if not now.is_on:
        await shell.push_screen_wait(EnrolDialog(desk))
        return
    answer = await shell.push_screen_wait(_question(now))
    if answer == "renew":
        await _renew(shell, desk)
    elif answer == "remove":
        await _remove(shell, desk)


def _question(now: Factor) -> Ask:
    left = f"{now.recovery_left} recovery codes are left."
    choices = (
        Choice("r", "New recovery codes, in place of those that are left", "renew"),
        Choice("x", "Switch it off", "remove", is_grave=True),
    )
    return Ask("Second factor", said(f"It is on. {left}", wraps=True), choices=choices)


async def _renew(shell: Shell, desk: Desk) -> None:
    async def renew(code: str) -> tuple[str, ...]:
        return await desk.second_factors.renew(desk.user, code, desk.here.proof)

    codes = await shell.push_screen_wait(CodeDialog("New recovery codes", "Those you have end with it.", renew))
    if codes:
        await shell.push_screen_wait(RecoveryDialog(codes))


async def _remove(shell: Shell, desk: Desk) -> None:
    async def remove(code: str) -> bool:
        await desk.second_factors.remove(desk.user, code, desk.here.proof)
        return True

    text = "Signing in with your password asks for nothing else then."
    if await shell.push_screen_wait(CodeDialog("Switch your second factor off", text, remove)):
        shell.toast("Your second factor is off.")
        if await desk.second_factors.is_due(desk.user):
            await shell.push_screen_wait(FirstEnrolDialog(desk))
