"""The watchlist: what you watch, how far you are, and the next episode one key away."""

from __future__ import annotations

import asyncio
from typing import ClassVar
from urllib.parse import urlencode

from textual import on, work
from textual.binding import Binding, BindingType
from textual.worker import Worker

from uuutorrent.anime.anime import MediaId, WatchEntry, WatchStatus
from uuutorrent.anime.watchlist import FinishesShow
from uuutorrent.automation.feeds.rule import Saving
from uuutorrent.automation.preferences import Mode
from uuutorrent.desk import Desk
from uuutorrent.errors import Missing, UuuError
from uuutorrent.torrents.grab import Grab, GrabState
from uuutorrent.tui import entries
from uuutorrent.tui.autopilot import AutopilotDialog, of_show
from uuutorrent.tui.dialogs import Ask, Choice
from uuutorrent.tui.entries import LABELS, View
from uuutorrent.tui.feedform import RuleDialog
from uuutorrent.tui.fetch import Fetch
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import said
from uuutorrent.tui.reach import line_for
from uuutorrent.tui.releases import ReleasesDialog
from uuutorrent.tui.shows import AddShowDialog
from uuutorrent.tui.table import Table
from uuutorrent.tui.taste import ShowTasteDialog
from uuutorrent.tui.torrents import TorrentsScreen
from uuutorrent.tui.watching import STATUSES, WatchingScreen


class WatchlistScreen(WatchingScreen):
    """Somebody's watchlist, and what they may do with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o,r", "choose", "Releases", id="watchlist.choose", tooltip="See every release, and choose by hand."),
        Binding(
            "t", "taste", "Taste", id="watchlist.taste", show=False, tooltip="What you like of it, where it differs."
        ),
        Binding("plus,equals_sign,w", "seen(1)", "Seen", id="watchlist.seen", tooltip="One more episode seen."),
        Binding(
            "minus,W", "seen(-1)", "Not seen", id="watchlist.unseen", show=False, tooltip="One episode fewer seen."
        ),
        Binding("a", "add", "Add", id="watchlist.add", tooltip="Look a show up on AniList and put it on the list."),
        Binding("A", "autopilot", "Autopilot", id="watchlist.autopilot", tooltip="What is fetched by itself."),
        Binding("s", "move", "Move", id="watchlist.move", tooltip="To another part of the list: paused, dropped, …"),
        Binding("x,delete", "remove", "Remove", id="watchlist.remove", tooltip="Take the show off the list."),
        Binding("slash", "filter", "Filter", id="watchlist.filter", tooltip="Only titles with these words."),
        Binding(
            "f",
            "follow_feed",
            "Feed rule",
            id="watchlist.feed",
            show=False,
            tooltip="Take its new episodes by themselves, from a search of the index.",
        ),
        Binding(
            "y", "copy_line", "Copy line", id="watchlist.copy", show=False, tooltip="Copy the line that fetches it."
        ),
        Binding(
            "d", "torrent", "Its torrent", id="watchlist.torrent", show=False, tooltip="Show it among the torrents."
        ),
        Binding(
            "m", "mode", "Autopilot here", id="watchlist.mode", show=False, tooltip="The autopilot, for this show only."
        ),
        Binding("escape", "give_up", "Cancel", id="watchlist.give_up", tooltip="Stop what is going on."),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._fetching: dict[MediaId, Worker[None]] = {}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not offered."""
        if not super().check_action(action, parameters):
            return False
        if action == "give_up":
            return self.is_loading or bool(self.needle) or self._running_here is not None
        if action in ("choose", "taste", "seen", "move", "remove", "copy_line", "torrent", "follow_feed", "mode"):
            return self.view is not None
        return True

    # --- fetching

    @on(Table.Selected, "#shows")
    def _fetch_next(self) -> None:
        view = self.view
        if view is None or view.next is None:
            self.shell.toast("You have seen every episode.")
        elif view.held is not None and view.held.is_complete:
            self.shell.toast(f"Episode {view.next} is here already. Press y to copy the line that fetches it to you.")
        elif not view.is_out:
            when = f"It airs in {entries.until(view)}." if view.airs_at else "No date is announced."
            self.shell.toast(f"Episode {view.next} is not out. {when} Press o to look for releases all the same.")
        else:
            self._fetch(view, view.next)

    def _fetch(self, view: View, episode: int, release: str | None = None, *, whole_batch: bool = False) -> None:
        media_id = view.anime.media_id
        if (now := self.fetches.get(media_id)) is not None and now.is_running:
            self.shell.toast(f"Episode {now.episode} is being fetched just now. Escape cancels it.")
            return
        fetch = self.fetches[media_id] = Fetch(episode, release=release, whole_batch=whole_batch)
        self._fetching[media_id] = self._run_fetch(view, fetch)
        self.turn_wheel()

    @work(group="fetch")
    async def _run_fetch(self, view: View, fetch: Fetch) -> None:
        """Fetch, and tell how it ended."""
        try:
            grab = await self.desk.grabs.get(
                self.desk.user,
                view.anime.media_id,
                fetch.episode,
                infohash=fetch.release,
                whole_batch=fetch.whole_batch,
                on_step=fetch.on_step,
            )
            fetch.ended(grab)
            self._tell_end(view, fetch, grab)
        except UuuError as e:
            fetch.failed(e.message)
            self.shell.tell(e)
        finally:
            if fetch.is_running:
                del self.fetches[view.anime.media_id]
        self.show_all()

    def _tell_end(self, view: View, fetch: Fetch, grab: Grab) -> None:
        if grab.state is GrabState.FAILED:
            self.shell.tell(grab.error or Missing(grab.reason))
            return
        self.shell.hurry()
        said_of_it = grab.reason if grab.title in grab.reason else f"{grab.title} · {grab.reason}"
        self.shell.toast(said_of_it, title=f"Episode {fetch.episode} of {view.anime.title}")

    def action_give_up(self) -> None:
        """Stop what is going on for the show under the cursor, or else what is looked for."""
        view, fetch = self.view, self._running_here
        if view is not None and fetch is not None:
            self._fetching[view.anime.media_id].cancel()
            if fetch.is_held:
                self.shell.toast("It is added already and goes on. Delete it under 2 Torrents if you do not want it.")
        elif self.is_loading:
            self.stop_loading()
        else:
            self.look_for("")
        self.show_all()

    @property
    def _running_here(self) -> Fetch | None:
        fetch = self.view.fetch if self.view else None
        return fetch if fetch is not None and fetch.is_running else None

    @work(group="dialog", exclusive=True)
    async def action_choose(self) -> None:
        """See the releases of the next episode, and take one by hand."""
        if (view := self.view) is None:
            return
        episode = view.next or max(1, view.entry.progress)
        chosen = await self.app.push_screen_wait(ReleasesDialog(self.desk, view.anime, episode))
        if chosen is not None:
            self._fetch(view, chosen.episode, chosen.infohash, whole_batch=chosen.whole)

    @work(group="dialog", exclusive=True)
    async def action_follow_feed(self) -> None:
        """Make a feed rule that is bound to the show: it takes new episodes by itself."""
        if (view := self.view) is None:
            return
        anime, nyaa = view.anime, self.desk.config.nyaa
        asked = urlencode({"page": "rss", "c": nyaa.category, "q": anime.romaji or anime.title})
        dialog = RuleDialog(
            self.desk, url=f"{nyaa.base_url.rstrip('/')}/?{asked}", saving=Saving(media_id=anime.media_id)
        )
        if await self.app.push_screen_wait(dialog) is not None:
            self.shell.toast(f"New episodes of {anime.title} are taken by themselves. The rule is under 3 Feeds.")

    @work(group="dialog", exclusive=True)
    async def action_taste(self) -> None:
        """Change what is liked of this show."""
        if (view := self.view) is not None:
            taste = await self.app.push_screen_wait(ShowTasteDialog(self.desk, view.anime))
            if taste is not None:
                self.shell.toast(f"Your taste for {view.anime.title} is remembered.")

    # --- what happens by itself

    @work(group="dialog", exclusive=True)
    async def action_autopilot(self) -> None:
        """Say what is fetched by itself, and see what it is after."""
        await self.app.push_screen_wait(AutopilotDialog(self.desk))

    @work(group="dialog", exclusive=True)
    async def action_mode(self) -> None:
        """Say what the autopilot does for this show."""
        if (view := self.view) is None:
            return
        media_id = view.anime.media_id
        question = of_show(view.anime.title, self.default_mode, self.modes.get(media_id))
        answer = await self.app.push_screen_wait(question)
        if answer is not None:
            mode = None if answer == "default" else Mode(answer)
            said_of_it = await self.desk.autopilot.set_show(self.desk.user, media_id, mode)
            self.shell.toast(said_of_it, title=view.anime.title)
            self.load()

    # --- how far one is

    def action_seen(self, by: int) -> None:
        """So many episodes more, or fewer, are seen: shown at once, written in the background."""
        if (view := self.view) is None:
            return
        media_id, n = view.anime.media_id, view.entry.progress + by
        if not 0 <= n <= (view.anime.episodes or n):
            return
        is_being_written = media_id in self.wanted
        self.wanted[media_id] = n
        self.show_all()
        if not is_being_written:
            self._write_progress(media_id, view.entry.status)

    @work(group="progress")
    async def _write_progress(self, media_id: MediaId, before: WatchStatus) -> None:
        """Write progress until what is written is what the person wants: a key held down is few requests."""
        written = None
        try:
            while self.wanted[media_id] != written:
                written = self.wanted[media_id]
                entry = await self._set_progress(media_id, written)
                if entry is None:
                    return
                self._changed(entry, before)
        except UuuError as e:
            self.shell.tell(e)
        finally:
            del self.wanted[media_id]
            self.show_all()

    async def _set_progress(self, media_id: MediaId, n: int) -> WatchEntry | None:
        """Write progress; None when the person thinks better of it."""
        user, watchlists = self.desk.user, self.desk.watchlists
        try:
            # Shielded: who leaves right after the key has seen the episode all the same.
            return await asyncio.shield(watchlists.set_progress(user, media_id, n))
        except FinishesShow as e:
            complete = await self.app.push_screen_wait(_finished(e))
            return await watchlists.set_progress(user, media_id, n, complete=complete == "yes") if complete else None

    def _changed(self, entry: WatchEntry, before: WatchStatus) -> None:
        """Show an entry as it is now, and say so when it is in another part of the list than `before`."""
        self.amend(entry)
        if entry.status is not before:
            self.shell.toast(f"{entry.anime.title} is under {LABELS[entry.status]} now.")

    # --- the list itself

    @work(group="dialog", exclusive=True)
    async def action_add(self) -> None:
        """Look a show up and add it."""
        entry = await self.app.push_screen_wait(AddShowDialog(self.desk, self.status))
        if entry is not None:
            self.shell.toast(f"{entry.anime.title} is on your list, under {LABELS[entry.status]}.")
            self.action_show_list(entry.status.value)

    @work(group="dialog", exclusive=True)
    async def action_move(self) -> None:
        """Move the show to another part of the list."""
        if (view := self.view) is None:
            return
        others = [status for status in STATUSES if status is not view.entry.status]
        choices = [Choice(str(n), LABELS[status], status.value) for n, status in enumerate(others, 1)]
        answer = await self.app.push_screen_wait(Ask("Move it to", said(view.anime.title), choices=choices))
        if answer is not None:
            media_id, status = view.anime.media_id, WatchStatus(answer)
            entry = await self.desk.watchlists.set_status(self.desk.user, media_id, status)
            self._changed(entry, view.entry.status)

    @work(group="dialog", exclusive=True)
    async def action_remove(self) -> None:
        """Take the show off the list."""
        if (view := self.view) is None:
            return
        lost = f"That you have seen {view.entry.progress} episodes is forgotten." if view.entry.progress else ""
        text = (said(view.anime.title), said(Span(f"{lost} Its torrents and files stay.".strip(), "dim"), wraps=True))
        choices = (Choice("x", "Take it off my list", "remove", is_grave=True),)
        if await self.app.push_screen_wait(Ask("Remove this show?", *text, choices=choices)):
            await self.desk.watchlists.remove(self.desk.user, view.anime.media_id)
            self.forget(view.anime.media_id)
            self.shell.toast(f"{view.anime.title} is off your list.")

    @work(group="copy", exclusive=True)
    async def action_copy_line(self) -> None:
        """Copy the line that fetches the next episode to the person's machine."""
        held = self.view.held if self.view else None
        if held is None or not held.is_complete:
            self.shell.toast("There is no finished file of the next episode yet. Enter fetches it.")
            return
        self.shell.copy(await line_for(self.desk, held), "the line that fetches it")

    async def action_torrent(self) -> None:
        """Show the torrent of the next episode among the torrents."""
        held = self.view.held if self.view else None
        if held is None:
            self.shell.toast("There is no torrent of the next episode yet. Enter fetches it.")
            return
        await self.app.switch_mode("torrents")
        if isinstance(screen := self.app.screen, TorrentsScreen):
            screen.go(held.infohash)


def _finished(e: FinishesShow) -> Ask:
    leave = f"Leave it under {LABELS[e.entry.status]}"
    choices = (Choice("y", "Yes, mark it completed", "yes"), Choice("n", leave, "no"))
    return Ask(
        "Seen to the end",
        said(f"Episode {e.progress} is the last of {e.entry.anime.title}.", wraps=True),
        choices=choices,
    )
