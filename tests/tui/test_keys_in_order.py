from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import ClassVar

import pytest
from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from tests.tui.screen import Seat, ShowsApp, seated
from uuutorrent.tui.keyboard import HELD_AT_MOST_S, MESSAGES_AT_ONCE
from uuutorrent.tui.pace import Studio
from uuutorrent.tui.shell import Shell
from uuutorrent.tui.terminal import Terminal, TerminalInfo

TALL = TerminalInfo(height=40)
ESCAPE = "\x1b[27u"
DELETE, UP, DOWN, LEFT = "\x7f", "\x1b[A", "\x1b[B", "\x1b[D"


class Form(ModalScreen[str | None]):
    """Two fields; Enter in the first goes on to the second, and in the second is the end of it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('nothing')", "Close")]

    def compose(self) -> ComposeResult:
        yield Input(id="first")
        yield Input(id="second")

    @on(Input.Submitted, "#first")
    def _go_on(self) -> None:
        self.query_one("#second").focus()

    @on(Input.Submitted, "#second")
    def _end(self) -> None:
        self.dismiss("+".join(field.value for field in self.query(Input)))


class Desk(ShowsApp):
    """A table from which a form is opened, as the screens do it: in a worker."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open", "Open"),
        Binding("p", "push", "Push"),
        Binding("h", "hang", "Hang"),
        Binding("w", "wait", "Wait"),
        Binding("f2", "count", "Count", priority=True),
    ]

    def __init__(self, terminal: Terminal | None = None, studio: Studio | None = None) -> None:
        super().__init__(terminal, studio)
        self.answers: list[str | None] = []
        self.hung = asyncio.Event()
        self.counted = 0

    @work
    async def action_open(self) -> None:
        self.answers.append(await self.push_screen_wait(Form()))

    def action_push(self) -> None:
        self.push_screen(Form(), self.answers.append)

    @work
    async def action_wait(self) -> None:
        await self.hung.wait()

    def action_hang(self) -> None:
        self.table.call_later(self.hung.wait)

    def action_count(self) -> None:
        self.counted += 1

    @property
    def fields(self) -> list[str]:
        return [field.value for field in self.screen.query(Input)]


@pytest.fixture
async def seat() -> AsyncGenerator[Seat[Desk]]:
    async with seated(Desk, TALL) as seat:
        await seat.sees("› Show 0")
        yield seat


async def fields(seat: Seat[Desk], *expected: str) -> None:
    await seat.until(lambda: seat.app.fields == list(expected), f"the fields {expected}, not {seat.app.fields}")
    await seat.settled()
    assert seat.app.fields == list(expected)


async def answers(seat: Seat[Desk], *expected: str | None) -> None:
    await seat.until(lambda: seat.app.answers == list(expected), f"the answers {expected}, not {seat.app.answers}")


@pytest.mark.parametrize("key", ["o", "p"])
async def test_a_dialog_is_opened_and_filled_in_by_what_comes_in_one_piece(seat: Seat[Desk], key: str) -> None:
    seat.type(f"{key}one\ttwo\r")
    await answers(seat, "one+two")
    assert seat.app.table.key == "k0"


async def test_enter_goes_to_the_next_field_before_the_text_behind_it(seat: Seat[Desk]) -> None:
    seat.type("oone\rtwo")
    await fields(seat, "one", "two")


async def test_going_back_and_forth_between_fields_loses_nothing(seat: Seat[Desk]) -> None:
    seat.type("oa\tb\x1b[Z\x05c\t\x05d\x1b[Z\x05e")
    await fields(seat, "ace", "bd")


async def test_deleting_among_letters_deletes_what_was_there(seat: Seat[Desk]) -> None:
    seat.type(f"oabx{DELETE}cy{DELETE}z{LEFT}{LEFT}-")
    await fields(seat, "ab-cz", "")


async def test_emptying_a_line_leaves_what_is_typed_after(seat: Seat[Desk]) -> None:
    seat.type("oold\x15new")
    await fields(seat, "new", "")


async def test_a_paste_between_letters_stays_between_them(seat: Seat[Desk]) -> None:
    seat.type("oa\x1b[200~, pasted, \x1b[201~b\t\x1b[200~c\x1b[201~d")
    await fields(seat, "a, pasted, b", "cd")


async def test_a_letter_behind_escape_is_for_the_screen_below(seat: Seat[Desk]) -> None:
    seat.type(f"oone{ESCAPE}jj")
    await answers(seat, "nothing")
    await seat.until(lambda: seat.app.table.key == "k2", "the second row further down")


async def test_dialogs_one_after_the_other_in_one_piece(seat: Seat[Desk]) -> None:
    seat.type(f"oa\tb\rjpc\td\rjo{ESCAPE}j")
    await answers(seat, "a+b", "c+d", "nothing")
    await seat.until(lambda: seat.app.table.key == "k3", "the third row further down")


async def test_a_click_comes_before_the_text_typed_behind_it(seat: Seat[Desk]) -> None:
    seat.type("o")
    await seat.until(lambda: len(seat.app.fields) == 2, "the form")
    await seat.settled()
    second = seat.app.screen.query_one("#second").region
    at = f"{second.x + 2};{second.y + 2}"
    seat.type(f"one\x1b[<0;{at}M\x1b[<0;{at}mtwo")
    await fields(seat, "one", "two")


async def test_a_held_arrow_key_moves_as_often_as_it_was_sent(seat: Seat[Desk]) -> None:
    seat.type(DOWN * 40)
    await seat.until(lambda: seat.app.table.key == "k40", "forty rows further down")
    seat.type(UP * 15 + DOWN * 5)
    await seat.settled()
    assert seat.app.table.key == "k30"


async def test_thousands_of_keys_are_all_heard_and_never_pile_up(seat: Seat[Desk]) -> None:
    worst = 0
    seat.type("jk" * 200 + "zZ" * 899 + "jj")
    while seat.terminal.keyboard._raw or seat.terminal.keyboard._waiting:
        worst = max(worst, seat.app.message_queue_size, seat.app.table.message_queue_size)
        await asyncio.sleep(0)
    await seat.until(lambda: seat.app.table.key == "k2", "the end of all keys")
    assert worst <= 4 * MESSAGES_AT_ONCE


async def test_a_flood_of_letters_is_one_text(seat: Seat[Desk]) -> None:
    seat.type("o")
    await seat.until(lambda: len(seat.app.fields) == 2, "the form")
    seat.type("ab" * 1_000 + "\tend")
    await fields(seat, "ab" * 1_000, "end")


async def test_work_in_the_background_keeps_no_key_waiting(seat: Seat[Desk]) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    seat.type("w" + "j" * 40)
    await seat.until(lambda: seat.app.table.key == "k40", "forty rows further down")
    assert loop.time() - began < 40 * HELD_AT_MOST_S / 2
    seat.app.hung.set()


async def test_a_widget_that_hangs_does_not_keep_keys_for_ever(seat: Seat[Desk]) -> None:
    seat.type("hjj\x1bOQ")
    await seat.until(lambda: seat.app.counted == 1, "a key of the app behind keys of a widget that hangs")
    assert seat.app.table.key == "k0"
    seat.app.hung.set()
    await seat.until(lambda: seat.app.table.key == "k2", "the keys the widget had not heard yet")


class Vanishing(Shell):
    """Every screen it has is gone as soon as a key is heard."""

    DEFAULT_MODE = "only"
    MODES: ClassVar = {"only": Screen}

    def on_key(self, event: events.Key) -> None:
        if event.key == "x":
            self.screen.remove_children()


async def test_a_widget_that_is_gone_does_not_keep_the_next_key() -> None:
    async with seated(Vanishing) as seat:
        await seat.settled()
        seat.type("xxq")
        await seat.end()
        assert seat.app.return_code == 0
