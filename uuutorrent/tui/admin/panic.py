"""The panic key: asked twice, because it is everybody's torrents that stand still."""

from __future__ import annotations

from collections.abc import Mapping

from uuutorrent.tui.admin.section import sure
from uuutorrent.tui.form import Field, FormDialog
from uuutorrent.tui.screen import DeskScreen

REASON = Field("reason", "Why", "may stay empty", "Everybody is shown it, on every screen.", str, str)


class ReasonDialog(FormDialog[str]):
    """Why everything is paused."""

    DOING = "Looking…"

    def __init__(self) -> None:
        super().__init__("Why is everything paused?", (REASON,), {})

    async def keep(self, typed: Mapping[str, str]) -> str:
        """That is the answer."""
        return typed[REASON.name].strip()


async def turn(screen: DeskScreen) -> None:
    """Have everything stand still; or go on, if it does.

    Raises:
        UuuError: it cannot be done.
    """
    panic = screen.desk.library.panic
    if (halt := await panic.look()) is not None:
        text = "What ran before runs again. What somebody stopped, or waited, stays as it was."
        if await sure(screen, "Let everything go on?", f"{halt.sentence} By {halt.by}.", text, do="Let it go on"):
            await panic.release(await screen.admin())
            screen.shell.halted = ""
            screen.shell.toast("Everything goes on.")
        return
    text = "All torrents stand still, seeding too; nobody can add any, and no feed or index is asked."
    more = "It stays so until this key is pressed again. Finished files are served on."
    if not await sure(screen, "Panic: pause everything, for everybody?", text, more, do="Pause everything"):
        return
    reason = await screen.app.push_screen_wait(ReasonDialog())
    if reason is not None:
        screen.shell.halted = (await panic.press(await screen.admin(), reason)).sentence
