"""The account: AniList, keys, password, taste, space, and the lines to type to reach all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from uuutorrent.accounts import Key
from uuutorrent.anime.watchlist import Link
from uuutorrent.automation.channels.channels import Channel
from uuutorrent.automation.preferences import Preferences
from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.releases.release import Taste
from uuutorrent.secondfactors import Factor
from uuutorrent.torrents.usage import Usage
from uuutorrent.tui import byitself, factor, limits, telling, wishes
from uuutorrent.tui.autopilot import AutopilotDialog
from uuutorrent.tui.byitself import WishesDialog
from uuutorrent.tui.cells import Cell, Column, Piece, Row
from uuutorrent.tui.dialogs import Ask, Choice
from uuutorrent.tui.figures import ago, count, day, filled, size
from uuutorrent.tui.flights import MODES
from uuutorrent.tui.leave import leave
from uuutorrent.tui.linking import LinkDialog
from uuutorrent.tui.panel import Panel, Status, said
from uuutorrent.tui.password import PasswordDialog
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.tui.sessions import SessionsDialog
from uuutorrent.tui.sshkeys import KeysDialog
from uuutorrent.tui.table import Table
from uuutorrent.tui.taste import TasteDialog
from uuutorrent.tui.telling import ChannelsDialog

COLUMNS = (Column("what", "Your account", 13), Column("value", "", 20, flex=1))
_BAR_WIDTH = 16
HELP = {
    "anilist": "Your list on AniList, with your progress. Without a link your list is kept here, with the same keys. "
    "Enter links an account, links it anew, or forgets it.",
    "keys": "A key signs you in without a password, for ssh, sftp and scp alike. Enter shows, adds and removes keys.",
    "password": "Enter changes it. Where you sign in by key you need none.",
    "factor": "Codes of your phone, asked for beside your password. Enter sets that up, or switches it off.",
    "sessions": "Where you are signed in now, from where and with which key. Enter shows and ends them.",
    "taste": "Which releases Enter takes on the watchlist, and which it prefers. Enter changes it.",
    "autopilot": "Whether new episodes of what you watch are fetched by themselves, or offered. Enter shows it.",
    "byitself": "What becomes of watched episodes, and of corrected versions. Enter changes it.",
    "telling": "Where you are told outside of here what is in your inbox, and when not. Enter shows it.",
    "space": "What your torrents take of what you may use, finished or not. Enter shows them: deleting makes room.",
    "running": "How many of your downloads run, of those that may at the same time; the others wait for their turn. An "
    "admin can change it. Enter shows them.",
    "read": "What you read over SFTP and with cat this month (UTC), and what you may. An admin can change it.",
    "leave": "Enter tells what becomes of your torrents, and deletes your account if you type your name.",
    "ssh": "How you come here. With a word behind it, it does one thing and ends: try help. Enter copies the line.",
    "sftp": "Your finished files, one folder per torrent, for sftp, any SFTP program, or sshfs. Enter copies the line.",
    "scp": "Fetches everything that is finished into the folder you are in; with a folder's name after the slash, "
    "only that. Enter copies the line.",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What was read about the account."""

    link: Link | None
    keys: tuple[Key, ...]
    taste: Taste
    usage: Usage
    read: str
    wishes: Preferences
    channels: tuple[Channel, ...]
    factor: Factor


class Rows(Table):
    """What there is to an account; Enter does what is to be done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Change or copy", id="account.open"),
    ]


class AccountScreen(DeskScreen):
    """Somebody's account in a few rows; each opens what changes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R,f5", "refresh", "Refresh", id="account.refresh", show=False, tooltip="Read everything anew."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._known: Known | None = None

    def body(self) -> ComposeResult:
        """The rows, and words about the one under the cursor."""
        yield Status()
        yield Rows(COLUMNS, empty="")
        yield Panel(id="about")

    async def follow(self) -> None:
        """Read it all, each time the screen is come to."""
        desk, user = self.desk, self.desk.user
        try:
            self._known = Known(
                await desk.watchlists.link_of(user),
                await desk.accounts.keys(user),
                await desk.releases.tastes.of(user),
                await desk.library.usage(user),
                limits.read(await desk.limits.of(user), await desk.limits.served(user)),
                await desk.preferences.of(user),
                await desk.channels.of(user),
                await desk.second_factors.of(user),
            )
            self.query_one(Status).say("")
        except UuuError as e:
            self.query_one(Status).say(f"{e.message.rstrip('.')}. R tries again.")
        self._show()

    def action_refresh(self) -> None:
        """Read everything anew."""
        self.on_screen_resume()

    @on(Table.Highlighted)
    def _explain(self) -> None:
        key = self.query_one(Rows).key
        self.query_one("#about", Panel).fill(said(), said(HELP[key] if key else "", wraps=True))

    @on(Table.Selected)
    def _open(self, event: Table.Selected) -> None:
        opens: dict[str, Callable[[], object]] = {
            "anilist": self._open_anilist,
            "keys": self._open_keys,
            "password": self._open_password,
            "factor": self._open_factor,
            "sessions": self._open_sessions,
            "taste": self._open_taste,
            "autopilot": self._open_autopilot,
            "byitself": self._open_wishes,
            "telling": self._open_channels,
            "leave": self._open_leave,
            **dict.fromkeys(("space", "running"), lambda: self.app.switch_mode("torrents")),
        }
        if event.key in opens:
            opens[event.key]()
        elif event.key in self._lines():
            self.shell.copy(self._lines()[event.key], "the line")

    # --- what opens

    @work(group="dialog", exclusive=True)
    async def _open_anilist(self) -> None:
        link = self._known.link if self._known else None
        if link is None:
            await self._link()
            return
        choices = (
            Choice("l", "Link it anew, or another account", "link"),
            Choice("u", "Unlink: forget the account and its token here", "unlink", is_grave=True),
        )
        text = said(f"Linked as {link.anilist_name}. Your list stays at AniList whatever you do here.", wraps=True)
        answer = await self.app.push_screen_wait(Ask("AniList", text, choices=choices))
        if answer == "link":
            await self._link()
        elif answer == "unlink":
            await self.desk.watchlists.unlink(self.desk.user)
            self.shell.toast("Unlinked. Your list is kept here from now on.")
            self.action_refresh()

    async def _link(self) -> None:
        link = await self.app.push_screen_wait(LinkDialog(self.desk, self.desk.watchlists.authorize_url))
        if link is not None:
            self.shell.toast(f"Linked as {link.anilist_name}. Your list is under 1 Watchlist.")

    @work(group="dialog", exclusive=True)
    async def _open_keys(self) -> None:
        await self.app.push_screen_wait(KeysDialog(self.desk))

    @work(group="dialog", exclusive=True)
    async def _open_password(self) -> None:
        await self.app.push_screen_wait(PasswordDialog(self.desk))

    @work(group="dialog", exclusive=True)
    async def _open_factor(self) -> None:
        await factor.manage(self.shell, self.desk)

    @work(group="dialog", exclusive=True)
    async def _open_sessions(self) -> None:
        await self.app.push_screen_wait(SessionsDialog(self.desk))

    @work(group="dialog", exclusive=True)
    async def _open_leave(self) -> None:
        await leave(self.shell, self.desk)

    @work(group="dialog", exclusive=True)
    async def _open_taste(self) -> None:
        taste = self._known.taste if self._known else await self.desk.releases.tastes.of(self.desk.user)
        if await self.app.push_screen_wait(TasteDialog(self.desk, taste)) is not None:
            self.shell.toast("From now on releases are chosen by that.")

    @work(group="dialog", exclusive=True)
    async def _open_autopilot(self) -> None:
        await self.app.push_screen_wait(AutopilotDialog(self.desk))

    @work(group="dialog", exclusive=True)
    async def _open_wishes(self) -> None:
        now = await self.desk.preferences.of(self.desk.user)
        if await self.app.push_screen_wait(WishesDialog(self.desk, now)) is not None:
            self.shell.toast("From now on it happens like that.")

    @work(group="dialog", exclusive=True)
    async def _open_channels(self) -> None:
        await self.app.push_screen_wait(ChannelsDialog(self.desk))

    # --- what is shown

    def _show(self) -> None:
        known, now = self._known, datetime.now(UTC)
        rows: list[tuple[str, str, Cell]] = []
        if known is not None:
            rows = [
                ("anilist", "AniList", _link(known.link)),
                ("keys", "SSH keys", _keys(known.keys, now)),
                ("password", "Password", "change it"),
                ("factor", "Second factor", _factor(known.factor)),
                ("sessions", "Sessions", self._sessions()),
                ("taste", "Taste", wishes.in_words(known.taste)),
                ("autopilot", "Autopilot", f"{known.wishes.autopilot}: {MODES[known.wishes.autopilot]}"),
                ("byitself", "By itself", byitself.in_words(known.wishes)),
                ("telling", "Notifications", telling.in_words(known.channels, known.wishes)),
                ("space", "Space", _space(known.usage)),
            ]
            beside = (("running", "Downloads", limits.running(known.usage)), ("read", "Reading", known.read))
            rows += [row for row in beside if row[2]]
        ending: list[tuple[str, str, Cell]] = [("leave", "Leave", "delete your account")] if known else []
        named = {"ssh": "Come here", "sftp": "Your files", "scp": "Fetch all"}
        rows += [(key, named[key], Piece(line, "accent")) for key, line in self._lines().items()]
        rows += ending
        self.query_one(Rows).set_rows([Row(key, (Piece(what, "dim"), value)) for key, what, value in rows])
        self._explain()

    def _sessions(self) -> str:
        others = len(self.desk.presence.of(self.desk.user)) - 1
        return f"this one and {count(others, 'other')}" if others > 0 else "only this one"

    def _lines(self) -> dict[str, str]:
        ssh, name = self.desk.config.ssh, self.desk.user.name
        return {"ssh": ssh.reach(name), "sftp": ssh.reach_sftp(name), "scp": ssh.fetch(name, "/torrents")}


def _link(link: Link | None) -> Cell:
    if link is None:
        return "not linked; your list is kept here"
    if link.broken:
        return Piece(f"{link.anilist_name}: AniList does not accept the sign-in any more; link it anew", "bad")
    until = f", until {day(link.expires_at)}" if link.expires_at else ""
    return Piece(f"linked as {link.anilist_name}{until}", "warn" if link.expires_soon else "good")


def _factor(now: Factor) -> Cell:
    if not now.is_on:
        return "none"
    left = f"on · {count(now.recovery_left, 'recovery code')} left"
    return Piece(left, "good" if now.recovery_left > 2 else "warn")


def _keys(keys: tuple[Key, ...], now: datetime) -> Cell:
    if not keys:
        return "none; you sign in by password"
    named = [
        f"{key.comment or 'unnamed'} (used {ago(key.last_used_at, now)})" if key.last_used_at else key.comment
        for key in keys
    ]
    return f"{len(keys)}: {', '.join(name or 'unnamed' for name in named)}"


def _space(usage: Usage) -> Cell:
    torrents = (
        f"{usage.torrents} of {count(usage.quota_torrents, 'torrent')}"
        if usage.quota_torrents
        else count(usage.torrents, "torrent")
    )
    if not usage.quota_bytes:
        return f"{size(usage.bytes)}, no limit · {torrents}"
    share = usage.bytes / usage.quota_bytes
    bar = filled(share, _BAR_WIDTH)
    words = f"{bar}{'·' * (_BAR_WIDTH - len(bar))} {size(usage.bytes)} of {size(usage.quota_bytes)} · {torrents}"
    return Piece(words, "warn" if share > 0.9 else "")
