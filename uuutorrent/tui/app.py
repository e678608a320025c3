"""The app a person meets: their screens, the keys between them, help and the command palette."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import aclosing, suppress
from functools import partial
from typing import ClassVar, get_args

from textual import on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from uuutorrent.automation.inbox.notice import Notice
from uuutorrent.desk import Desk
from uuutorrent.errors import RemoteError, UuuError
from uuutorrent.tui.account import AccountScreen
from uuutorrent.tui.admin.people import SeeAs
from uuutorrent.tui.admin.screen import AdminScreen
from uuutorrent.tui.colours import Colours
from uuutorrent.tui.factor import FirstEnrolDialog
from uuutorrent.tui.feeds import FeedsScreen
from uuutorrent.tui.figures import took
from uuutorrent.tui.help import HelpScreen, doable, key_rows
from uuutorrent.tui.inbox import InboxScreen
from uuutorrent.tui.notices import toasted
from uuutorrent.tui.pace import Studio
from uuutorrent.tui.password import NewPasswordDialog
from uuutorrent.tui.shell import TOAST_S, Place, Shell
from uuutorrent.tui.sshkeys import FirstKeyDialog
from uuutorrent.tui.terminal import Terminal
from uuutorrent.tui.torrents import TorrentsScreen
from uuutorrent.tui.watchlist import WatchlistScreen

PLACES = (
    Place("watchlist", "1", "Watchlist"),
    Place("torrents", "2", "Torrents"),
    Place("feeds", "3", "Feeds"),
    Place("inbox", "4", "Inbox"),
    Place("account", "5", "Account"),
)
ADMIN = Place("admin", "6", "Admin")
"""Beside the others, for admins."""
RETRY_S = 5.0
"""Pause after the inbox could not be read."""
MOST_TOASTS = 3
"""Notices that are said aloud within a toast's time; the rest is read in the inbox."""
ALLOWED_S = 2.0
"""How often it is asked whether an admin who only looks may still do so."""
LOOK_S = 2.0
"""How often the top line asks whether the engine is well."""


class UuuApp(Shell):
    """One person's session: the desk, on five screens."""

    CSS_PATH = "app.tcss"
    DEFAULT_MODE = "watchlist"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(place.key, f"show('{place.mode}')", place.title, id=f"app.{place.mode}", show=False)
            for place in (*PLACES, ADMIN)
        ),
        Binding("question_mark", "help", "Help", id="app.help", tooltip="Every key that does something here."),
        Binding("ctrl+p", "command_palette", "Commands", id="app.commands", show=False, priority=True),
    ]

    def __init__(
        self,
        desk: Desk,
        terminal: Terminal | None = None,
        studio: Studio | None = None,
        *,
        mode: str = "",
        greeting: str = "",
    ) -> None:
        super().__init__(terminal, studio, who=desk.user.name)
        self.desk = desk
        self.why_over = ""
        """Why an admin who only looked may not look any more."""
        self._greeting = greeting
        """What is said first."""
        self._began = time.monotonic()
        self.looks_at = desk.user.name if desk.watcher else ""
        self._said_at: list[float] = []
        """When notices were said lately."""
        self.places = (*PLACES, *([ADMIN] if desk.user.is_admin and not desk.watcher else []))
        self._first_mode = mode or self.DEFAULT_MODE
        self.add_mode("watchlist", partial(WatchlistScreen, desk))
        self.add_mode("torrents", partial(TorrentsScreen, desk))
        self.add_mode("feeds", partial(FeedsScreen, desk))
        self.add_mode("inbox", partial(InboxScreen, desk))
        self.add_mode("account", partial(AccountScreen, desk))
        self.add_mode("admin", partial(AdminScreen, desk))

    async def on_mount(self) -> None:
        """Ask for what has to come before all else; keep an eye on the engine, and an ear on the inbox."""
        if self._first_mode != self.current_mode:
            self.switch_mode(self._first_mode)
        if self._greeting:
            self.toast(self._greeting)
        if self.looks_at:
            self._look_whether_allowed()
        else:
            await self._ask_first()
            self._listen()
        self._look_at_engine()
        self.set_interval(LOOK_S, self._look_at_engine)

    async def _ask_first(self) -> None:
        """Nothing typed is heard meanwhile. What is asked first is pushed last, so that nothing is open in between."""
        desk = self.desk
        try:
            if await desk.second_factors.is_due(desk.user):
                self.push_screen(FirstEnrolDialog(desk))
            if desk.user.password_expired and await desk.lacks_key():
                self.push_screen(FirstKeyDialog(desk))
        except RemoteError as e:  # nobody gets past because it could not be looked up
            self.leave(e.message, code=e.exit_code)
        if desk.user.password_expired:
            self.push_screen(NewPasswordDialog(desk))

    def action_show(self, mode: str) -> None:
        """Go to a screen."""
        self.switch_mode(mode)

    def action_help(self) -> None:
        """Show every key that does something here."""
        self.push_screen(HelpScreen(key_rows(self, self.screen.active_bindings)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No palette over a question: it would be a way round those that must be answered first. No admins' screen for
        whoever is none; whoever comes there all the same is refused by it."""
        if action == "command_palette":
            return not isinstance(self.screen, ModalScreen)
        if action == "show" and parameters == (ADMIN.mode,):
            return ADMIN in self.places
        return super().check_action(action, parameters)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The commands of the palette: what the keys do here, the themes, the colours. Nothing of the server's."""
        for one in doable(screen.active_bindings):
            yield SystemCommand(one.what, one.more, partial(self.simulate_key, one.keys[0]))
        yield SystemCommand("Theme", "Choose another theme.", self.action_change_theme)
        for colours in get_args(Colours):
            yield SystemCommand(
                f"Colours: {colours}",
                "When the terminal shows more or fewer than it said.",
                partial(self.set_colours, colours),
            )

    # --- an admin who only looks

    @on(SeeAs)
    def _see(self, event: SeeAs) -> None:
        """Hand the terminal to what somebody else sees; this is opened anew after it."""

        desk, terminal, studio = self.desk, self.terminal, self.studio

        def theirs() -> UuuApp:
            seen = UuuApp(event.desk, terminal, studio)
            seen.then = lambda: UuuApp(desk, terminal, studio, mode=ADMIN.mode, greeting=seen.why_over)
            return seen

        self.then = theirs
        self.exit()

    def over(self) -> None:
        """Note that an admin has looked."""
        if self.looks_at:
            self.desk.seen(f"after {took((time.monotonic() - self._began) * 1000)}")

    @work(group="allowed")
    async def _look_whether_allowed(self) -> None:
        while True:
            await asyncio.sleep(ALLOWED_S)
            with suppress(RemoteError):
                if why := await self.desk.why_not_seen():
                    self.why_over = why
                    self.exit()

    @work(group="inbox")
    async def _listen(self) -> None:
        """Say what the inbox is told while the person is here, and how much is new in it."""
        greets = True
        while True:
            with suppress(UuuError):
                unseen = await self._count_unseen()
                if greets and unseen:
                    self.toast(f"{unseen} new in your inbox. Press 4.")
                greets = False
                async with aclosing(self.desk.inbox.follow(self.desk.user)) as told:
                    async for notice in told:
                        self._say(notice)
                        await self._count_unseen()
            await asyncio.sleep(RETRY_S)

    async def _count_unseen(self) -> int:
        unseen = await self.desk.inbox.unseen(self.desk.user)
        self.waiting = {**self.waiting, "inbox": unseen}
        return unseen

    def _say(self, notice: Notice) -> None:
        if isinstance(self.screen, InboxScreen):
            self.screen.action_refresh()
            return
        now = time.monotonic()
        self._said_at = [at for at in self._said_at if now - at < TOAST_S]
        if len(self._said_at) < MOST_TOASTS:
            self._said_at.append(now)
            text, severity = toasted(notice)
            self.toast(text, severity=severity)

    def _look_at_engine(self) -> None:
        halt = self.desk.library.panic.halt
        self.halted = halt.sentence if halt else ""
        snapshot = self.desk.live.snapshot
        self.trouble = "" if snapshot.engine_up or snapshot.at is None else snapshot.trouble
