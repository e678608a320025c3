"""How somebody is told things outside of here: their channels, and at which hours."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from uuutorrent.automation.channels.channels import ALL_KINDS, Channel
from uuutorrent.automation.inbox.notice import Kind
from uuutorrent.automation.preferences import Preferences
from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid, UuuError
from uuutorrent.tui.amounts import number_of
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.dialogs import Ask, Choice, Dialog
from uuutorrent.tui.figures import count, moment
from uuutorrent.tui.form import NOTHING, Field, FormDialog, read_list, show_list, taken
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Panel, Said, said
from uuutorrent.tui.table import Table

COLUMNS = (
    Column("state", "", 1),
    Column("label", "Channel", 18, flex=1),
    Column("kinds", "Tells of", 14, flex=1, priority=1),
    Column("pace", "When", 12, priority=2),
)
NONE = "No channels: you are told here only. Press a, and give an address."
_EVERYTHING = "everything"


def in_words(channels: tuple[Channel, ...], wishes: Preferences) -> str:
    """Where and when somebody is told things outside, in one line."""
    if not channels:
        return "nothing is sent anywhere"
    broken = sum(bool(channel.error) for channel in channels)
    parts = [count(sum(channel.is_enabled for channel in channels), "channel")]
    parts += [f"{broken} in trouble"] if broken else []
    parts += [f"quiet {wishes.quiet_from} to {wishes.quiet_to} ({wishes.zone})"] if wishes.quiet_from else []
    return " · ".join(parts)


class Listed(Table):
    """The channels; Enter changes one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Change", id="channels.change", tooltip="What it tells of, and how often."),
    ]


class ChannelsDialog(Dialog[None]):
    """The list of channels, and what one may do with them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add", id="channels.add", tooltip="An address to tell things to."),
        Binding("t", "try_out", "Test", id="channels.test", tooltip="Send a message now, to see whether it arrives."),
        Binding("o", "switch", "On, off", id="channels.switch", tooltip="Send nothing for a while, or again."),
        Binding("x,delete", "remove", "Remove", id="channels.remove", tooltip="Forget it and its address."),
        Binding("h", "hours", "Quiet hours", id="channels.hours", tooltip="When nothing is to be sent."),
        Binding("escape", "cancel", "Close", id="channels.close"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__("Where you are told things outside of here")
        self.desk = desk
        self._channels: tuple[Channel, ...] = ()
        self._wishes = Preferences()
        self.add_class("large")

    def body(self) -> ComposeResult:
        """The channels, and words about the one under the cursor."""
        yield Listed(COLUMNS, empty="")
        yield Panel(id="channel")

    def on_mount(self) -> None:
        """Read them."""
        self._read()

    @property
    def here(self) -> Channel | None:
        """The channel under the cursor."""
        key = self.query_one(Listed).key
        return next((channel for channel in self._channels if str(channel.id) == key), None)

    # --- what one may do

    @work(group="dialog", exclusive=True)
    async def action_add(self) -> None:
        """Add a channel."""
        channel = await self.app.push_screen_wait(ChannelDialog(self.desk))
        if channel is not None:
            await self._load()
            self.query_one(Listed).go(str(channel.id))
            self.status.say(f"{channel.label} is told from now on. t sends a message to try it out.", "good")

    @on(Table.Selected)
    def _selected(self) -> None:
        if self.here is not None:
            self._change(self.here)

    @work(group="dialog", exclusive=True)
    async def _change(self, channel: Channel) -> None:
        if await self.app.push_screen_wait(ChannelDialog(self.desk, channel)) is not None:
            await self._load()

    @work(group="test", exclusive=True)
    async def action_try_out(self) -> None:
        """Send a message through the channel under the cursor."""
        if (here := self.here) is not None:
            self.busy(f"Sending to {here.label}…")
            sent = self.desk.channels.test(self.desk.user, here.id)
            await self._do(sent, f"A message went to {here.label}. See whether it arrived.")

    @work(group="switch", exclusive=True)
    async def action_switch(self) -> None:
        """Switch the channel under the cursor on or off."""
        if (here := self.here) is not None:
            await self._do(self.desk.channels.set_enabled(self.desk.user, here.id, on=not here.is_enabled))

    @work(group="dialog", exclusive=True)
    async def action_remove(self) -> None:
        """Forget the channel under the cursor."""
        if (here := self.here) is None:
            return
        choices = (Choice("x", "Remove it: nothing is sent there any more", "remove", is_grave=True),)
        if await self.app.push_screen_wait(
            Ask("Remove this channel?", said(Span(here.label, "accent")), choices=choices)
        ):
            await self._do(self.desk.channels.remove(self.desk.user, here.id))

    @work(group="dialog", exclusive=True)
    async def action_hours(self) -> None:
        """Say when nothing is to be sent."""
        wishes = await self.desk.preferences.of(self.desk.user)
        if await self.app.push_screen_wait(HoursDialog(self.desk, wishes)) is not None:
            await self._load()

    async def _do(self, work: Awaitable[object], done: str = "") -> None:
        """Do it, show how things are then, and say how it went."""
        self.status.say("")
        wrong = ""
        try:
            await work
        except UuuError as e:
            wrong = e.message
        await self._load()
        self.status.say(wrong or done, "bad" if wrong else "good")

    # --- what is shown

    @work(group="read", exclusive=True)
    async def _read(self) -> None:
        await self._load()

    async def _load(self) -> None:
        try:
            self._channels = await self.desk.channels.of(self.desk.user)
            self._wishes = await self.desk.preferences.of(self.desk.user)
        except UuuError as e:
            self.failed(e)
            return
        table = self.query_one(Listed)
        table.say_empty(NONE)
        table.set_rows([_row(channel) for channel in self._channels])
        self._explain()

    @on(Table.Highlighted)
    def _explain(self) -> None:
        self.query_one("#channel", Panel).fill(*_about(self.here, self._wishes))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a channel there is nothing to test, switch or remove."""
        return bool(self._channels) if action in ("try_out", "switch", "remove") else True


def _row(channel: Channel) -> Row:
    state = Piece("✗", "bad") if channel.error else Piece("●", "good") if channel.is_enabled else Piece("○", "dim")
    pace = f"every {channel.digest_h} h" if channel.digest_h else "at once"
    cells = (state, channel.label, Piece(_show_kinds(channel.kinds) or _EVERYTHING, "dim"), Piece(pace, "dim"))
    return Row(str(channel.id), cells)


def _about(channel: Channel | None, wishes: Preferences) -> tuple[Said, ...]:
    hours = (
        f"Quiet from {wishes.quiet_from} to {wishes.quiet_to} ({wishes.zone}): nothing is sent then, it comes after."
        if wishes.quiet_from
        else "No quiet hours: things are sent at any hour. h sets some."
    )
    lines = [said(Span(hours, "dim"), wraps=True)]
    if channel is not None and channel.error:
        again = f" Tried again {moment(channel.next_at)}." if channel.is_enabled else " It was switched off."
        lines.insert(0, said(Span(f"✗ {channel.error}", "bad"), Span(again, "dim"), wraps=True))
    elif channel is not None and not channel.is_enabled:
        lines.insert(0, said(Span("Switched off: nothing is sent there. o switches it on.", "dim"), wraps=True))
    return tuple(lines)


def _show_kinds(kinds: tuple[Kind, ...]) -> str:
    return "" if set(kinds) == set(ALL_KINDS) else show_list(kind.value for kind in kinds)


def _read_kinds(text: str) -> tuple[Kind, ...]:
    if text.casefold() in NOTHING | {_EVERYTHING, "all"}:
        return ALL_KINDS
    known = {kind.value: kind for kind in Kind}
    words = [word.casefold() for word in read_list(text.replace(" ", ","))]
    if unknown := next((word for word in words if word not in known), None):
        raise Invalid(f"there is no {unknown}; there are {', '.join(known)}")
    return tuple(known[word] for word in words)


def _read_digest(text: str) -> int:
    return number_of(text.removesuffix("h").strip() or "0") if text.casefold() not in NOTHING else 0


ADDRESS = Field("url", "Address", "", "As apprise writes it, e.g. ntfys://ntfy.sh/topic. Kept sealed.", str, str)
FIELDS = (
    ADDRESS,
    Field("kinds", "Tell of", _EVERYTHING, f"Of {show_list(kind.value for kind in Kind)}.", _show_kinds, _read_kinds),
    Field(
        "digest_h", "Collect for hours", "0: each as it comes", "All of so many hours in one message.",
        lambda hours: str(hours) if hours else "", _read_digest,
    ),
)  # fmt: skip


class ChannelDialog(FormDialog[Channel]):
    """An address, of what it is told and how often; the answer is the channel, which is kept by then."""

    DOING = "Looking at the address…"

    def __init__(self, desk: Desk, channel: Channel | None = None) -> None:
        values = {field.name: field.of(channel) for field in FIELDS[1:]} if channel else {}
        title = f"Change {channel.label}; an empty address stays" if channel else "Tell things to an address"
        super().__init__(title, FIELDS, values)
        self.desk = desk
        self._channel = channel

    async def keep(self, typed: Mapping[str, str]) -> Channel:
        """Make the channel, or change it."""
        values = taken(FIELDS, typed)
        if self._channel is None:
            return await self.desk.channels.add(self.desk.user, **values)
        values["url"] = values["url"] or None
        return await self.desk.channels.change(self.desk.user, self._channel.id, **values)


HOURS = (
    Field("quiet_from", "Quiet from", "no quiet hours; e.g. 23:00", "What happens meanwhile is sent after.", str, str),
    Field("quiet_to", "Until", "e.g. 07:30", "What happens meanwhile is sent after.", str, str),
    Field("zone", "Time zone", "UTC", "As in Europe/Berlin.", str, lambda text: text or "UTC"),
)


class HoursDialog(FormDialog[Preferences]):
    """At which hours nothing is sent; the answer is what is wished by then."""

    def __init__(self, desk: Desk, wishes: Preferences) -> None:
        super().__init__("Quiet hours", HOURS, {field.name: field.of(wishes) for field in HOURS})
        self.desk = desk

    async def keep(self, typed: Mapping[str, str]) -> Preferences:
        """Remember them."""
        return await self.desk.preferences.change(self.desk.user, **taken(HOURS, typed))
