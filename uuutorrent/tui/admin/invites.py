"""Invitations: who may still come with one; making them, and taking them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from uuutorrent.desk import Desk
from uuutorrent.invites import Invite
from uuutorrent.signup import JOIN
from uuutorrent.tui.admin.people import IS_ADMIN
from uuutorrent.tui.admin.section import Section, sure
from uuutorrent.tui.amounts import number_of, size_of
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.dialogs import Ask, Choice
from uuutorrent.tui.figures import count, moment, size
from uuutorrent.tui.form import Field, FormDialog, taken
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.users import Admin

FIELDS = (
    Field("uses", "For how many", "1", "How many people can come with it.", str, lambda text: number_of(text or "1")),
    Field("days", "Days", "7", "How long it is valid.", str, lambda text: number_of(text or "7")),
    Field(
        "quota_bytes", "Disk for each", "as configured", "E.g. 200 GiB; 0: no limit.", str,
        lambda text: size_of(text) if text else None,
    ),
    Field("note", "Note", "", "Whom it is for; only admins see it.", str, str),
    IS_ADMIN,
)  # fmt: skip


class InvitesSection(Section):
    """Invitations that are open or were lately."""

    title = "Invites"
    columns: ClassVar[Sequence[Column]] = (
        Column("id", "Nr", 4, align="right"),
        Column("state", "State", 8),
        Column("left", "Left", 4, align="right"),
        Column("role", "Role", 6, priority=1),
        Column("until", "Until", 17),
        Column("note", "Note", 10, flex=1, priority=2),
    )
    empty = "No invitations. a makes one."
    adds = "Make an invitation."
    acts = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._invites: Mapping[str, Invite] = {}

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """The newest first."""
        every, now = await self.desk.invites.list(by), datetime.now(UTC)
        self._invites = {str(one.id): one for one in every}
        return [_row(one, now) for one in every]

    def about(self, key: str) -> Sequence[Said]:
        """What comes with it."""
        if (one := self._invites.get(key)) is None:
            return ()
        quota = "what is configured" if one.quota_bytes is None else size(one.quota_bytes) if one.quota_bytes else "all"
        lines = [said(f"Made {moment(one.made_at)} · each gets {quota} of disk", wraps=True)]
        lines += [said(Span(one.note, "dim"), wraps=True)] if one.note else []
        if self.desk.signups.mode == "closed":
            lines.append(said(Span('Nobody can sign up here: signup = "closed" is configured.', "warn"), wraps=True))
        return lines

    async def add(self, screen: DeskScreen) -> None:
        """Make one, and show its code once."""
        await screen.admin()
        made = await screen.app.push_screen_wait(NewInviteDialog(self.desk))
        if made is None:
            return
        invite, code = made
        reach = self.desk.config.ssh.reach(JOIN)
        text = (
            said(f"For {count(invite.uses_left, 'person')}, until {moment(invite.expires_at)}. They type"),
            said("  ", Span(reach, "accent")),
            said("and this code, which is shown only now:"),
            said("  ", Span(code, "accent")),
        )
        choices = (Choice("y", "Copy both", "copy"), Choice("k", "I have it", "done"))
        if await screen.app.push_screen_wait(Ask("An invitation", *text, choices=choices)) == "copy":
            screen.shell.copy(f"{reach}\n{code}", "the line and the code")

    async def open(self, screen: DeskScreen, key: str) -> None:
        """Take one back."""
        if await sure(
            screen, f"Revoke invitation {key}?", "Nobody comes with it any more; who came stays.", do="Revoke"
        ):
            await self.desk.invites.revoke(await screen.admin(), int(key))


class NewInviteDialog(FormDialog[tuple[Invite, str]]):
    """What an invitation is for; the answer is it and its code."""

    DOING = "Making it…"

    def __init__(self, desk: Desk) -> None:
        super().__init__("An invitation", FIELDS, {})
        self._desk = desk

    async def keep(self, typed: Mapping[str, str]) -> tuple[Invite, str]:
        """Make it."""
        values = taken(self.fields, typed)
        role = "admin" if values.pop("admin") else "user"
        return await self._desk.invites.create(await self._desk.admin(), role=role, **values)


def _row(one: Invite, now: datetime) -> Row:
    is_open = one.is_open(now)
    state = "open" if is_open else "used up" if not one.uses_left else "void" if one.is_void else "over"
    cells = (
        str(one.id), Piece(state, "good" if is_open else "dim"), str(one.uses_left), one.role,
        moment(one.expires_at), Piece(one.note, "dim"),
    )  # fmt: skip
    return Row(str(one.id), cells)
