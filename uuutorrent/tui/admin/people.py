"""The users: who there is, what each uses of what they may, and all that admins do with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import ClassVar

from textual.message import Message

from uuutorrent.desk import Desk
from uuutorrent.limits import Settled, Which
from uuutorrent.passwords import one_time
from uuutorrent.torrents.leaving import leaving
from uuutorrent.torrents.usage import Claimed, claimed
from uuutorrent.tui.admin.section import Section, sure
from uuutorrent.tui.amounts import number_of, size_of
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.dialogs import Ask, Choice
from uuutorrent.tui.figures import ago, count, day, rate, size
from uuutorrent.tui.form import Field, FormDialog, read_flag, show_flag, taken
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.tui.taste import TasteDialog
from uuutorrent.users import Admin, UserId, UserInfo

AS_CONFIGURED = ""
NAME = Field("name", "Name", "carl", "1 to 32 of a-z, 0-9, - and _, beginning with a letter.", str, str.strip)
IS_ADMIN = Field("admin", "Admin", "no", "yes: they may do all that you may.", show_flag, read_flag)


def _amount(label: str, name: Which, about: str, read: Callable[[str], int], show: Callable[[int], str]) -> Field:
    return Field(
        name,
        label,
        "as configured",
        f"{about} 0: no limit; nothing: as configured.",
        lambda value: AS_CONFIGURED if value is None else show(value),
        lambda text: None if text == AS_CONFIGURED else read(text),
    )


LIMITS = (
    _amount("Disk", "bytes", "What all their torrents may take, e.g. 200 GiB.", size_of, size),
    _amount("Torrents", "torrents", "How many they may have.", number_of, str),
    _amount("Downloads", "active", "How many run at the same time.", number_of, str),
    _amount("Read in a month", "month_bytes", "Over SFTP and with cat, e.g. 500 GiB.", size_of, size),
    _amount("Rate", "bps", "Bytes a second that they read, e.g. 20 MiB.", size_of, size),
)


@dataclass
class SeeAs(Message):
    """An admin wants to look at somebody's screens."""

    desk: Desk


class PeopleSection(Section):
    """Everybody who has an account."""

    title = "Users"
    columns: ClassVar[Sequence[Column]] = (
        Column("mark", "", 1),
        Column("name", "Name", 12, flex=2),
        Column("role", "Role", 6),
        Column("seen", "Last seen", 12, priority=1, flex=1),
        Column("disk", "Disk", 9, align="right"),
        Column("served", "Read", 9, align="right", priority=2),
        Column("state", "", 15, priority=3),
    )
    adds = "Make a user."
    acts = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._people: Mapping[str, UserInfo] = {}
        self._claimed: Mapping[UserId, Claimed] = {}
        self._served: Mapping[UserId, int] = {}
        self._settled: Mapping[UserId, Settled] = {}

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """Everybody; who waits for a yes comes first."""
        people = await self.desk.accounts.users(by)
        ids, now = [one.user.id for one in people], datetime.now(UTC)
        self._people = {one.user.name: one for one in people}
        self._claimed = claimed(await self.desk.library.everything())
        self._served = await self.desk.limits.served_to(ids)
        self._settled = await self.desk.limits.settled(ids)
        return [self._row(one, now) for one in sorted(people, key=lambda one: not one.awaits_approval)]

    def about(self, key: str) -> Sequence[Said]:
        """What is settled for somebody, and how they come in."""
        if (one := self._people.get(key)) is None:
            return ()
        has = self._claimed.get(one.user.id, Claimed())
        ways = [count(one.keys, "key"), *(["a password"] if one.has_password else [])]
        return (
            said(Span(key, "accent"), f" · {one.user.role} · {_state(one)} · since {day(one.created_at)}"),
            said(f"{count(has.torrents, 'torrent')}, {size(has.bytes)} · signs in by {' and '.join(ways)}"),
            said(Span(f"May: {_may(self._settled.get(one.user.id, Settled()))}", "dim"), wraps=True),
        )

    async def add(self, screen: DeskScreen) -> None:
        """Make a user, and show their one-time password."""
        await screen.admin()
        made = await screen.app.push_screen_wait(NewUserDialog(screen))
        if made is not None:
            await self._hand_over(screen, *made)

    async def open(self, screen: DeskScreen, key: str) -> None:
        """What can be done with somebody."""
        if (one := self._people.get(key)) is None:
            return
        choices = _choices(one)
        text = said(Span(key, "accent"), f" · {one.user.role} · {_state(one)}")
        answer = await screen.app.push_screen_wait(Ask("What about this user?", text, choices=choices))
        does: Mapping[str, Callable[[DeskScreen, str], Awaitable[None]]] = {
            "approve": self._approve,
            "reject": self._reject,
            "see": self._see,
            "taste": self._taste,
            "limits": self._limits,
            "password": self._password,
            "factor": self._unfactor,
            "role": self._role,
            "disable": self._disable,
            "enable": self._enable,
            "delete": self._delete,
        }
        if answer is not None:
            await does[answer](screen, key)

    # --- what is done

    async def _approve(self, screen: DeskScreen, name: str) -> None:
        await self.desk.signups.approve(await screen.admin(), name)
        screen.shell.toast(f"{name} can sign in from now on.")

    async def _reject(self, screen: DeskScreen, name: str) -> None:
        if await sure(screen, f"Reject {name}?", "Their account is deleted.", do="Reject"):
            await self.desk.signups.reject(await screen.admin(), name)

    async def _see(self, screen: DeskScreen, name: str) -> None:
        screen.post_message(SeeAs(await self.desk.see(await screen.admin(), name)))

    async def _limits(self, screen: DeskScreen, name: str) -> None:
        await screen.admin()
        settled = self._settled.get(self._people[name].user.id, Settled())
        if await screen.app.push_screen_wait(LimitsDialog(screen, name, settled)):
            screen.shell.toast(f"That is what {name} may from now on.")

    async def _taste(self, screen: DeskScreen, name: str) -> None:
        taste = await self.desk.releases.tastes.theirs(await screen.admin(), name)
        if await screen.app.push_screen_wait(TasteDialog(self.desk, taste, name=name)):
            screen.shell.toast(f"That is what {name} likes, until they change it.")

    async def _password(self, screen: DeskScreen, name: str) -> None:
        text = "They get a one-time password instead of the one they have; sessions that came by it end."
        if await sure(screen, f"A new password for {name}?", text, do="Give one"):
            await self._hand_over(screen, name, await self.desk.accounts.reset_password(await screen.admin(), name))

    async def _unfactor(self, screen: DeskScreen, name: str) -> None:
        text = "For somebody who lost their phone and their recovery codes. Make sure that it is them who asks."
        if await sure(screen, f"Switch off {name}'s second factor?", text, do="Switch it off"):
            await self.desk.second_factors.reset(await screen.admin(), name)
            screen.shell.toast(f"{name} signs in without a code from now on.")

    async def _role(self, screen: DeskScreen, name: str) -> None:
        is_admin = self._people[name].user.is_admin
        role, more = (
            ("user", "They may do no more of this.") if is_admin else ("admin", "They may do all that you may.")
        )
        text = f"{more} Their sessions end."
        if await sure(screen, f"{name}: {role} from now on?", text, do=f"Make them {role}"):
            await self.desk.accounts.set_role(await screen.admin(), name, role)

    async def _disable(self, screen: DeskScreen, name: str) -> None:
        text = "Their sessions end at once, and they cannot sign in. Nothing of theirs is lost."
        if await sure(screen, f"Disable {name}?", text, do="Disable"):
            await self.desk.disable(await screen.admin(), name)

    async def _enable(self, screen: DeskScreen, name: str) -> None:
        await self.desk.accounts.enable(await screen.admin(), name)
        screen.shell.toast(f"{name} can sign in again.")

    async def _delete(self, screen: DeskScreen, name: str) -> None:
        lost = await leaving(self.desk.library, self._people[name].user)
        going = f"{count(len(lost.going), 'torrent')} of theirs alone, {size(lost.going_bytes)}"
        text = (
            f"With their files go {going}." if lost.going else "No files go with them.",
            f"{count(len(lost.staying), 'torrent')} they share with others, so these stay." if lost.staying else "",
            "Their sessions end at once. Their keys, watchlist, feeds and settings go as well.",
        )
        if await sure(screen, f"Delete {name} for good?", *filter(None, text), do=f"Delete {name}"):
            await self.desk.delete(await screen.admin(), name)
            screen.shell.toast(f"{name} is gone.")

    async def _hand_over(self, screen: DeskScreen, name: str, password: str) -> None:
        """Show a one-time password, once."""
        reach = self.desk.config.ssh.reach(name)
        text = (
            said(f"{name} signs in with"),
            said("  ", Span(reach, "accent")),
            said("and this one-time password, which is shown only now:"),
            said("  ", Span(password, "accent")),
        )
        choices = (Choice("y", "Copy both", "copy"), Choice("k", "I have it", "done"))
        if await screen.app.push_screen_wait(Ask(f"For {name}", *text, choices=choices)) == "copy":
            screen.shell.copy(f"{reach}\n{password}", "the line and the password")

    def _row(self, one: UserInfo, now: datetime) -> Row:
        mark = (
            Piece("?", "warn") if one.awaits_approval else Piece("○", "dim") if one.disabled_at else Piece("●", "good")
        )
        seen = ago(one.last_seen_at, now) if one.last_seen_at else Piece("never", "dim")
        has, served = self._claimed.get(one.user.id, Claimed()), self._served.get(one.user.id, 0)
        role = Piece("admin", "accent") if one.user.is_admin else one.user.role
        state = Piece(_state(one), "warn" if one.awaits_approval else "dim")
        return Row(one.user.name, (mark, one.user.name, role, seen, size(has.bytes), size(served), state))


class NewUserDialog(FormDialog[tuple[str, str]]):
    """Name and role of somebody new; the answer is the name and a one-time password."""

    DOING = "Making the user…"

    def __init__(self, screen: DeskScreen) -> None:
        super().__init__("A new user", (NAME, IS_ADMIN), {})
        self._desk = screen.desk

    async def keep(self, typed: Mapping[str, str]) -> tuple[str, str]:
        """Make them."""
        values, password = taken(self.fields, typed), one_time()
        role = "admin" if values["admin"] else "user"
        by = await self._desk.admin()
        made = await self._desk.accounts.create(by, values["name"], role=role, password=password, expired=True)
        return made.name, password


class LimitsDialog(FormDialog[bool]):
    """What somebody may."""

    def __init__(self, screen: DeskScreen, name: str, settled: Settled) -> None:
        super().__init__(f"What {name} may", LIMITS, {field.name: field.of(settled) for field in LIMITS})
        self._desk = screen.desk
        self._whom = name

    async def keep(self, typed: Mapping[str, str]) -> bool:
        """Settle it."""
        changes: Mapping[Which, int | None] = taken(self.fields, typed)  # type: ignore[assignment]  # named by Which
        await self._desk.limits.set(await self._desk.admin(), self._whom, changes)
        return True


def _choices(one: UserInfo) -> tuple[Choice, ...]:
    if one.awaits_approval:
        return Choice("y", "Approve: let them in", "approve"), Choice("x", "Reject", "reject", is_grave=True)
    switch = Choice("e", "Enable", "enable") if one.disabled_at else Choice("d", "Disable", "disable", is_grave=True)
    return (
        Choice("s", "See what they see, and change nothing", "see"),
        Choice("l", "Limits: disk, torrents, reading", "limits"),
        Choice("t", "Taste: what they are given among releases", "taste"),
        Choice("p", "A new one-time password", "password"),
        Choice("f", "Switch off their second factor", "factor"),
        Choice("r", "Make them a user" if one.user.is_admin else "Make them an admin", "role"),
        switch,
        Choice("x", "Delete", "delete", is_grave=True),
    )


def _state(one: UserInfo) -> str:
    return "waits for a yes" if one.awaits_approval else "disabled" if one.disabled_at else "enabled"


def _may(settled: Settled) -> str:
    shown: Mapping[str, Callable[[int], str]] = {
        "bytes": lambda n: f"{size(n)} of disk",
        "torrents": lambda n: count(n, "torrent"),
        "active": lambda n: f"{count(n, 'download')} at a time",
        "month_bytes": lambda n: f"{size(n)} read a month",
        "bps": rate,
    }
    own = [f"any {which}" if n == 0 else shown[which](n) for which, n in asdict(settled).items() if n is not None]
    return ", ".join(own) or "as configured for everybody"
