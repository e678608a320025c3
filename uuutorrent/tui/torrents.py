"""The torrents: what is downloading, how fast, and everything one may do with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import events, on, work
from textual.binding import Binding, BindingType

from uuutorrent.accounts import User
from uuutorrent.errors import UuuError
from uuutorrent.torrents.holdings import Added, Holding
from uuutorrent.tui.detail import PRIORITIES, Detail
from uuutorrent.tui.dialogs import Ask, Choice
from uuutorrent.tui.downloads import DownloadsScreen
from uuutorrent.tui.figures import count, moment
from uuutorrent.tui.held import STANDING_STILL
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import said
from uuutorrent.tui.reach import CODE, CodeDialog, WhichFile, ask_way, line_for, path_of, ways
from uuutorrent.tui.steer import AddTorrentDialog, LimitsDialog, deletion
from uuutorrent.tui.terminal import Browser

MOST_TOLD = 3
"""Sentences that are told one by one when many torrents are changed at once."""

Verb = Callable[[User, str], Awaitable[str]]


class TorrentsScreen(DownloadsScreen):
    """Somebody's torrents, and what they may do with them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "a", "add", "Add", id="torrents.add", tooltip="A magnet, or the address of a .torrent. Pasting works, too."
        ),
        Binding("p", "pause", "Pause", id="torrents.pause", tooltip="Pause, or go on."),
        Binding("x,delete", "delete", "Delete", id="torrents.delete", tooltip="Give it up, with or without its files."),
        Binding("slash", "filter", "Filter", id="torrents.filter", tooltip="Only names with these words."),
        Binding("s", "sort", "Sort", id="torrents.sort", tooltip="By the next column. A click on a title sorts, too."),
        Binding("c", "recheck", "Check", id="torrents.recheck", show=False, tooltip="Verify the files anew."),
        Binding(
            "o", "in_order", "In order", id="torrents.in_order", show=False, tooltip="From the first byte to the last."
        ),
        Binding("m", "limit", "Limits", id="torrents.limit", show=False, tooltip="How fast it may be."),
        Binding(
            "y", "copy_line", "Copy line", id="torrents.copy", show=False, tooltip="Copy the line that fetches it."
        ),
        Binding("Y", "ways", "Other lines", id="torrents.ways", show=False, tooltip="Lines for sftp, rclone and mpv."),
        Binding(
            "D",
            "download",
            "Download",
            id="torrents.download",
            tooltip="Have this browser save the file, or one of them.",
        ),
        Binding("K", "code", "Code", id="torrents.code", show=False, tooltip="Its address for a phone's camera."),
    ]

    # --- adding

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted here is to be added."""
        if event.text.strip():
            self._ask_what_to_add(event.text)

    def action_add(self) -> None:
        """Add a magnet, or the address of a .torrent."""
        self._ask_what_to_add("")

    @work(group="dialog", exclusive=True)
    async def _ask_what_to_add(self, given: str) -> None:
        added = await self.app.push_screen_wait(AddTorrentDialog(self.desk, given))
        if added is not None:
            self._tell_added(added)

    def _tell_added(self, added: Added) -> None:
        self.shell.hurry()
        self.go(added.infohash)
        self.shell.toast(
            added.queued or (f"You have {added.name} already." if added.already else f"Added {added.name}.")
        )

    # --- steering

    def action_pause(self) -> None:
        """Pause those chosen; when none of them moves, let them go on."""
        moving = [holding for holding in self.chosen if holding.phase not in STANDING_STILL]
        if moving:
            self._each(moving, self.desk.library.pause, "Paused")
        else:
            self._each(self.chosen, self.desk.library.resume, "Resumed")

    def action_recheck(self) -> None:
        """Have the files of those chosen verified anew."""
        self._each(self.chosen, self.desk.library.recheck, "Checking")

    def action_in_order(self) -> None:
        """Download from the first byte to the last, or as peers have it."""
        on = not all(holding.sequential for holding in self.chosen)
        done = "In order:" if on else "In any order:"

        async def verb(user: User, infohash: str) -> str:
            await self.desk.library.set_sequential(user, infohash, on)
            return f"{done} {'from the first byte to the last' if on else 'whatever comes first'}."

        self._each(self.chosen, verb, done)

    @work(group="dialog", exclusive=True)
    async def action_delete(self) -> None:
        """Give those chosen up."""
        chosen = self._mine(self.chosen)
        answer = await self.app.push_screen_wait(deletion(chosen)) if chosen else None
        if answer is None:
            return

        async def verb(user: User, infohash: str) -> str:
            return await self.desk.library.delete(user, infohash, with_files=answer == "files")

        self.table.clear_marks()
        self._each(chosen, verb, "Deleted")

    @work(group="dialog", exclusive=True)
    async def action_limit(self) -> None:
        """Limit the speed of those chosen."""
        chosen = self._mine(self.chosen)
        if not chosen:
            return
        what = chosen[0].name if len(chosen) == 1 else count(len(chosen), "torrent")
        limits = await self.app.push_screen_wait(LimitsDialog(what, chosen[0].down_limit_bps, chosen[0].up_limit_bps))
        if limits is None:
            return

        async def verb(user: User, infohash: str) -> str:
            await self.desk.library.set_limits(user, infohash, down_bps=limits[0], up_bps=limits[1])
            return f"{done} for {what}."

        done = "Limits are set" if any(limits) else "Limits are taken away"
        self._each(chosen, verb, done)

    @on(Detail.PriorityAsked)
    def _prioritise(self, event: Detail.PriorityAsked) -> None:
        self._set_priority(event)

    @work(group="priority")
    async def _set_priority(self, asked: Detail.PriorityAsked) -> None:
        try:
            await self.desk.library.set_priority(self.desk.user, asked.infohash, asked.indexes, asked.priority)
        finally:
            if self.detail is not None:
                self.detail.look()
        self.shell.toast(f"{count(len(asked.indexes), 'file')}: {PRIORITIES[asked.priority]}.")

    @on(Detail.UndoAsked)
    @work(group="dialog", exclusive=True)
    async def _undo(self, event: Detail.UndoAsked) -> None:
        happened = event.happened
        text = (
            said(happened.text, wraps=True),
            said(Span(f"It can be undone until {moment(happened.until)}.", "dim"), wraps=True),
        )
        choices = (Choice("u", "Undo it", "undo"),)
        if await self.app.push_screen_wait(Ask("Undo this?", *text, choices=choices)):
            self.shell.toast(await self.desk.healing.undo(self.desk.user, happened.id))
            self.shell.hurry()
            if self.detail is not None:
                self.detail.look()

    @work(group="copy", exclusive=True)
    async def action_copy_line(self) -> None:
        """Copy the line that fetches the torrent to the person's machine."""
        if (here := self._complete()) is not None:
            self.shell.copy(await line_for(self.desk, here), "the line that fetches it")

    @work(group="dialog", exclusive=True)
    async def action_ways(self) -> None:
        """Offer the lines of several programs that fetch or play it, and copy one."""
        if (here := self._complete()) is None:
            return
        path = await path_of(self.desk, here)
        offered = ways(self.desk.config.ssh, self.desk.user.name, path)
        answer = await self.app.push_screen_wait(ask_way(here.name, offered))
        if answer == CODE:
            await self._show_code(path)
        for way in offered:
            if way.key == answer:
                self.shell.copy(way.line, f"the line for {way.program}")

    @work(group="dialog", exclusive=True)
    async def action_code(self) -> None:
        """Show the torrent's address to a phone's camera."""
        if (here := self._complete()) is not None:
            await self._show_code(await path_of(self.desk, here))

    @work(group="dialog", exclusive=True)
    async def action_download(self) -> None:
        """Have the browser save the file under the cursor in the pane, the only one there is, or one of several."""
        browser = self._browser
        if browser is None or (here := self._complete()) is None:
            return
        paths = await self.desk.files.brought(self.desk.user, here.infohash)
        if not paths:
            self.shell.toast("There is no file of yours in it.")
            return
        index = self.detail.file_here if self.detail is not None else None
        if index not in paths:
            only = min(paths)
            index = only if len(paths) == 1 else await self.app.push_screen_wait(WhichFile(here.name, paths))
        if index is None:
            return
        name = paths[index].rpartition("/")[2]
        self.app.open_url(browser.link(here.infohash, index, name))
        self.shell.toast(f"Your browser saves {name}.")

    async def _show_code(self, path: str) -> None:
        await self.app.push_screen_wait(CodeDialog(self.desk.config.ssh, self.desk.user.name, path))

    @property
    def _browser(self) -> Browser | None:
        return self.shell.terminal.browser if self.shell.terminal else None

    def _complete(self) -> Holding | None:
        """The torrent under the cursor, if there is something to fetch."""
        here = self.here
        if here is None or not here.is_complete:
            self.shell.toast("It is not complete yet; there is nothing to fetch so far.")
            return None
        return here

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A file can be saved where the screens are in a browser, once it is there."""
        if action == "download" and not (self._browser and self.is_mounted and self.here and self.here.is_complete):
            return False
        return super().check_action(action, parameters)

    # --- how

    def _mine(self, holdings: Sequence[Holding]) -> list[Holding]:
        """Those of the holdings that are the person's own: nobody changes others' here, admins neither."""
        mine = [holding for holding in holdings if not holding.owners or self.desk.user.name in holding.owners]
        if len(mine) < len(holdings):
            self.shell.toast("Other people's torrents can be seen here, not changed.", severity="warning")
        return mine

    def _each(self, holdings: Sequence[Holding], verb: Verb, done: str) -> None:
        if mine := self._mine(holdings):
            self.shell.hurry()
            self._do(mine, verb, done)

    @work(group="steer")
    async def _do(self, holdings: Sequence[Holding], verb: Verb, done: str) -> None:
        """Do it to each, and tell how it went: one sentence, or the number and what went otherwise."""
        told: list[str] = []
        for holding in holdings:
            try:
                told.append(await verb(self.desk.user, holding.infohash))
            except UuuError as e:
                self.shell.tell(e)
        alike = [sentence for sentence in told if sentence.startswith(done)]
        if len(told) > 1 and alike:
            self.shell.toast(f"{done} {count(len(alike), 'torrent')}.")
        for sentence in [one for one in told if len(told) == 1 or one not in alike][:MOST_TOLD]:
            self.shell.toast(sentence)
