"""What every screen with a desk is: the top line, its body, the bar of keys, and following only while it is seen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.screen import Screen
from textual.worker import Worker

from uuutorrent.desk import Desk
from uuutorrent.tui import stepup
from uuutorrent.tui.bars import KeyBar, TopLine
from uuutorrent.tui.line import Line, Span
from uuutorrent.tui.panel import Panel, said
from uuutorrent.tui.shell import Shell
from uuutorrent.users import Admin


class Seeing(Line):
    """Whose screens these are, for an admin who only looks."""

    def __init__(self, name: str) -> None:
        super().__init__(id="seeing")
        self.set(
            Span(f" You see what {name} sees; nothing can be changed ", "warn"),
            right=[Span(" q ", "key", "app.quit"), Span("back ", "", "app.quit")],
        )


class Banner(Panel):
    """Says to everybody, wherever they are, that an admin paused everything."""

    def on_mount(self) -> None:
        """Follow what the app knows."""
        self.watch(self.app, "halted", self._show)

    def _show(self, halted: str) -> None:
        self.display = bool(halted)
        self.fill(*([said(Span(halted, "bad"), wraps=True)] if halted else []))


class DeskScreen(Screen[None]):
    """A screen of the app. Subclasses give it a body, and say in `follow` what they watch."""

    ALLOW_SELECT = False
    BLANK = True
    """Widgets cover it wholly; painting what is beneath them would cost as much as they do."""
    AUTO_FOCUS: ClassVar[str | None] = "Table"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._following: Worker[None] | None = None

    @property
    def shell(self) -> Shell:
        """The app this screen belongs to."""
        app = self.app
        if not isinstance(app, Shell):
            raise TypeError("a desk screen is shown by a Shell")
        return app

    async def admin(self) -> Admin:
        """Proof that whoever sits here is an admin; a code that is due is asked for. For actions, not for `follow`.

        Raises:
            Refused: they are none, or gave no code.
        """
        return await stepup.admin(self.shell, self.desk)

    def compose(self) -> ComposeResult:
        """The body between the two bars."""
        yield TopLine(id="top")
        if name := self.shell.looks_at:
            yield Seeing(name)
        yield Banner(id="banner")
        yield from self.body()
        yield KeyBar(id="keys")

    def body(self) -> ComposeResult:
        """The widgets of this screen."""
        yield from ()

    async def follow(self) -> None:
        """Show what changes; runs from when the screen comes on top until it is left or covered."""

    def on_screen_resume(self) -> None:
        """Begin to follow. A screen that is opened and shown in one step is resumed twice."""
        if self._following is None or self._following.is_finished:
            self._following = self.run_worker(self.follow, name=f"{type(self).__name__} follows", group="follow")

    def on_screen_suspend(self) -> None:
        """What is not seen is not followed."""
        if self._following is not None:
            self._following.cancel()
            self._following = None
