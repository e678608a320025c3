"""Deleting one's account: what becomes of the torrents first, then the name, then the proof."""

from __future__ import annotations

from collections.abc import Mapping

from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid
from uuutorrent.torrents.leaving import Leaving, leaving
from uuutorrent.tui.figures import count, size
from uuutorrent.tui.form import Field, FormDialog
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.tui.shell import Shell
from uuutorrent.tui.stepup import proved

FAREWELL = "Your account is deleted. What only you had goes within a minute."
MOST_NAMES = 3
"""Names that are listed; the rest is counted."""


def _plain(text: str) -> str:
    return text


NAME = Field("name", "Your user name", "", "So that nobody does it by mistake.", str, _plain)
PASSWORD = Field("password", "Your password", "", "The one you sign in with.", str, _plain)


class LeaveDialog(FormDialog[bool]):
    """Says what is lost, and takes the name and the password where one is asked for; the answer is True at the end."""

    DOING = "Deleting…"

    def __init__(self, desk: Desk, what: Leaving, *, asks_password: bool) -> None:
        fields = (NAME, PASSWORD) if asks_password else (NAME,)
        super().__init__("Delete your account", fields, {}, *_lost(what))
        self.desk = desk

    def on_mount(self) -> None:
        """What is typed as a password is not shown."""
        if PASSWORD in self.fields:
            self.line("password").password = True

    async def keep(self, typed: Mapping[str, str]) -> bool:
        """Delete it.

        Raises:
            UuuError: the name or the password is wrong, or they are the last admin.
        """
        if typed["name"].strip() != self.desk.user.name:
            raise Invalid(f"type your own name, {self.desk.user.name}, to delete your account", field="name")
        await self.desk.leave(typed.get("password", ""), self.desk.here.proof)
        return True


async def leave(shell: Shell, desk: Desk) -> None:
    """Let somebody delete their account; the session ends with it. For workers."""
    takes = await desk.accounts.leaving_takes(desk.user)
    if takes == "code" and not await proved(shell, desk, "Deleting your account wants a code first."):
        return
    what = await leaving(desk.library, desk.user)
    if await shell.push_screen_wait(LeaveDialog(desk, what, asks_password=takes == "password")):
        shell.leave(FAREWELL)


def _lost(what: Leaving) -> list[Said]:
    lines = [said("It goes at once and for good, with your keys, watchlist, feeds, inbox and settings.", wraps=True)]
    if what.going:
        text = f"{count(len(what.going), 'torrent')} of yours ({size(what.going_bytes)}) and their files go: "
        lines.append(said(Span(text, "bad"), _names(what.going), wraps=True))
    if what.staying:
        text = f"Others claim {count(len(what.staying), 'torrent')} of yours too, so these stay for them: "
        lines.append(said(text, _names(what.staying), wraps=True))
    return lines


def _names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}."
