"""Codes of the second factor, asked for in a dialog; and the one way by which a screen does what only admins may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Input

from uuutorrent.desk import Desk
from uuutorrent.errors import Refused, UuuError
from uuutorrent.secondfactors import StepUp
from uuutorrent.tui.dialogs import AnswerT, Dialog, Typed
from uuutorrent.tui.panel import Panel, said
from uuutorrent.tui.shell import Shell
from uuutorrent.users import Admin

LONGEST = 100
WHERE = "The six digits that your app shows, or one of your recovery codes."


class CodeDialog(Dialog[AnswerT]):
    """Asks for a code; the answer is what `take` makes of it."""

    def __init__(self, title: str, text: str, take: Callable[[str], Awaitable[AnswerT]]) -> None:
        super().__init__(title)
        self._text = text
        self._take = take

    def body(self) -> ComposeResult:
        """What it is for, and the line."""
        yield Panel(said(self._text, wraps=True), said(WHERE, wraps=True), classes="words")
        yield Typed(placeholder="123456", compact=True, max_length=LONGEST)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self._try(event.value)

    @work(group="code", exclusive=True)
    async def _try(self, code: str) -> None:
        self.busy("Looking…")
        try:
            answer = await self._take(code)
        except UuuError as e:
            self.failed(e)
            self.query_one(Input).value = ""
            return
        self.dismiss(answer)


async def proved(shell: Shell, desk: Desk, text: str) -> bool:
    """Ask for a code that is good for this session; False when none is given. For workers."""

    async def step_up(code: str) -> bool:
        await desk.second_factors.step_up(desk.user, code, desk.here.proof)
        return True

    return bool(await shell.push_screen_wait(CodeDialog("A code, please", text, step_up)))


async def admin(shell: Shell, desk: Desk) -> Admin:
    """Proof that whoever sits here is an admin; a code that is due first is asked for, and then it goes on.

    It belongs into a worker that the screen's being covered does not end.

    Raises:
        Refused: they are none, or gave no code.
    """
    try:
        return await desk.admin()
    except StepUp:
        text = "What only admins may do wants a code. It is open for 15 minutes then, in this session."
        if not await proved(shell, desk, text):
            raise Refused("nothing is done without a code") from None
        return await desk.admin()
