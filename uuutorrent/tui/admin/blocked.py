"""The blocklist: releases that are not picked for somebody, or for nobody at all; blocking, and ending blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from uuutorrent.desk import Desk
from uuutorrent.releases.blocks import OnesBlock
from uuutorrent.tui.admin import search
from uuutorrent.tui.admin.section import Section, sure
from uuutorrent.tui.amounts import number_of
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.dialogs import Ask, Choice
from uuutorrent.tui.figures import day
from uuutorrent.tui.form import Field, FormDialog, taken
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.users import Admin

DAYS = "30"
FIELDS = (
    Field("infohash", "Infohash", "", "All 40 characters, as search --json shows it.", str, str),
    Field("title", "Name", "as the infohash", "What people read it by.", str, str),
    Field("reason", "Why", "", "People read it where the release is listed.", str, str),
    Field("days", "Days", DAYS, "How long nobody is given it by itself.", str, lambda text: number_of(text or DAYS)),
)


class BlocksSection(Section):
    """Every release that is not picked, for whomever."""

    title = "Blocks"
    columns: ClassVar[Sequence[Column]] = (
        Column("title", "Release", 20, flex=2),
        Column("name", "For", 10),
        Column("until", "Until", 10),
        Column("reason", "Why", 14, priority=1, flex=1),
    )
    empty = "No release is blocked. a blocks one for everybody."
    adds = "Block a release for everybody."
    acts = True
    searches = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._blocks: Mapping[str, OnesBlock] = {}
        self._words = ""

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """The newest first."""
        every = await self.desk.releases.blocks.every(by)
        found = [one for one in every if search.fits(self._words, *_texts(one))]
        self._blocks = {str(one.block.id): one for one in found}
        return [_row(one) for one in found]

    def about(self, key: str) -> Sequence[Said]:
        """Why it is not picked, and what it is."""
        if (one := self._blocks.get(key)) is None:
            return ()
        return (
            said(Span(one.block.title, "accent"), wraps=True),
            said(f"{one.block.reason} · since {day(one.block.made_at)}", right=[*search.only(self._words)]),
            said(Span(one.block.infohash, "dim")),
        )

    async def add(self, screen: DeskScreen) -> None:
        """Block one for everybody."""
        await screen.admin()
        if await screen.app.push_screen_wait(BlockDialog(self.desk, {})):
            screen.shell.toast("Nobody is given it by itself from now on.")

    async def open(self, screen: DeskScreen, key: str) -> None:
        """End a block, or have it be everybody's."""
        if (one := self._blocks.get(key)) is None:
            return
        for_all = (Choice("b", "Block it for everybody", "all", is_grave=True),) if one.name else ()
        choices = (Choice("e", f"End the block of {_whose(one)}", "end"), *for_all)
        text = (said(Span(one.block.title, "accent"), wraps=True), said(one.block.reason, wraps=True))
        match await screen.app.push_screen_wait(Ask("What about this block?", *text, choices=choices)):
            case "end":
                await self._end(screen, one)
            case "all":
                values = {"infohash": one.block.infohash, "title": one.block.title, "reason": one.block.reason}
                await screen.admin()
                if await screen.app.push_screen_wait(BlockDialog(self.desk, values)):
                    screen.shell.toast("Nobody is given it by itself from now on.")

    async def search(self, screen: DeskScreen) -> None:
        """Ask what to look for."""
        self._words = await search.ask(screen, self._words)

    async def _end(self, screen: DeskScreen, one: OnesBlock) -> None:
        text = f"It may be picked again for {_whose(one)}."
        if await sure(screen, f"End the block of {one.block.title}?", text, do="End it"):
            await self.desk.releases.blocks.drop(await screen.admin(), one.block.id)
            screen.shell.toast(text)


class BlockDialog(FormDialog[bool]):
    """A release that nobody is to be given by itself."""

    def __init__(self, desk: Desk, values: Mapping[str, str]) -> None:
        super().__init__("Block a release for everybody", FIELDS, values)
        self._desk = desk

    async def keep(self, typed: Mapping[str, str]) -> bool:
        """Block it."""
        await self._desk.releases.blocks.block_for_all(await self._desk.admin(), **taken(self.fields, typed))
        return True


def _whose(one: OnesBlock) -> str:
    return one.name or "everybody"


def _texts(one: OnesBlock) -> Sequence[str]:
    return one.block.title, one.block.infohash, one.block.reason, _whose(one)


def _row(one: OnesBlock) -> Row:
    name = one.name or Piece("everybody", "accent")
    cells = (one.block.title, name, day(one.block.until), Piece(one.block.reason, "dim"))
    return Row(str(one.block.id), cells)
