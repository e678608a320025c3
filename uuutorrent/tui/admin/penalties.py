"""Sources that failed to sign in too often, and letting them try again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from uuutorrent.penalties import Penalty
from uuutorrent.tui.admin.section import Section, sure
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.figures import span
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.users import Admin


class PenaltiesSection(Section):
    """Every source with a penalty."""

    title = "Penalties"
    columns: ClassVar[Sequence[Column]] = (
        Column("source", "Source", 20, flex=1),
        Column("state", "", 18),
        Column("left", "For", 10, align="right"),
    )
    empty = "Nobody failed to sign in lately."
    acts = True

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """The longest first."""
        return [
            Row(one.source, (one.source, Piece(_state(one), "warn"), span(one.left_s)))
            for one in self.desk.penalties.every(by)
        ]

    def about(self, key: str) -> Sequence[Said]:
        """What it means."""
        text = "Enter lets it try again now. Where somebody signed in lately, only passwords are refused, never keys."
        return (said(Span(text, "dim"), wraps=True),)

    async def open(self, screen: DeskScreen, key: str) -> None:
        """Lift a penalty."""
        if await sure(screen, f"Let {key} try again now?", "Its failed sign-ins are forgotten.", do="Lift the penalty"):
            await self.desk.lift(await screen.admin(), key)
            screen.shell.toast(f"{key} may sign in again.")


def _state(one: Penalty) -> str:
    if not one.is_refused:
        return ""
    return "passwords refused" if one.is_known else "refused"
