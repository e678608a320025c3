from __future__ import annotations

import pytest
from textual.app import ComposeResult

from tests.tui.evening import ENTER, ESCAPE
from tests.tui.screen import Seat, ShowsApp, seated
from uuutorrent.errors import Unreachable
from uuutorrent.tui.dialogs import Ask, Choice, Dialog, Pasted
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Panel, Status, said
from uuutorrent.tui.terminal import TerminalInfo

CHOICES = (Choice("y", "Yes, [b]do[/b] it", "yes"), Choice("x", "Throw it away", "gone", is_grave=True))


class Question(Dialog[str]):
    """Takes a line; "trouble" makes trouble."""

    def body(self) -> ComposeResult:
        yield Pasted(compact=True)

    def on_input_submitted(self, event: Pasted.Submitted) -> None:
        if event.value == "trouble":
            self.failed(Unreachable("AniList", "[/i] no answer in 15 s"))
        elif event.value == "wait":
            self.busy("Asking…")
        else:
            self.dismiss(event.value)


def show(seat: Seat[ShowsApp], dialog: Dialog[str]) -> list[str | None]:
    """Put a dialog on the screen; its answer comes into the list."""
    answers: list[str | None] = []
    seat.app.call_later(seat.app.push_screen, dialog, answers.append)
    return answers


@pytest.mark.parametrize(("key", "answer"), [("y", "yes"), ("x", "gone"), (ESCAPE, None)])
async def test_a_question_is_answered_by_a_key(key: str, answer: str | None) -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 1")
        answers = show(seat, Ask("Sure?", said("About [i]this[/i] one."), choices=CHOICES))
        await seat.sees("About [i]this[/i] one.")
        await seat.sees("y  Yes, [b]do[/b] it")
        seat.type("n" + ENTER)
        await seat.settled()
        assert answers == []
        seat.type(key)
        await seat.until(lambda: answers == [answer], "the answer")
        await seat.sees_no("Sure?")


async def test_a_question_is_answered_by_a_click() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 1")
        answers = show(seat, Ask("Sure?", choices=CHOICES))
        await seat.sees("Throw it away")
        y = next(n for n, line in enumerate(seat.glass.lines, 1) if "Throw it away" in line)
        x = seat.glass.lines[y - 1].index("Throw") + 1
        seat.type(f"\x1b[<0;{x};{y}M\x1b[<0;{x};{y}m")
        await seat.until(lambda: answers == ["gone"], "the answer")


async def test_trouble_stands_in_the_dialog_which_stays() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 1")
        answers = show(seat, Question("What?"))
        await seat.sees("What?")
        seat.type("trouble" + ENTER)
        await seat.sees("AniList: [/i] no answer in 15 s")
        await seat.clears()
        seat.type("wait" + ENTER)
        await seat.sees(" Asking…")
        await seat.sees_no("no answer")
        await seat.clears()
        seat.type("this" + ENTER)
        await seat.until(lambda: answers == ["this"], "the answer")


async def test_a_paste_of_several_lines_is_one_line() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 1")
        answers = show(seat, Question("What?"))
        await seat.sees("What?")
        seat.type("\x1b[200~one\r\n two\nthree \x1b[201~")
        await seat.sees("one two three")
        seat.type(ENTER)
        await seat.until(lambda: answers == ["one two three"], "the answer")


async def test_long_text_wraps_and_what_is_too_long_ends_in_dots() -> None:
    words = "A sentence that is too long for a line of forty cells, so that it goes on below."
    async with seated(ShowsApp, TerminalInfo(width=40, height=24)) as seat:
        await seat.sees("Show 1")
        title = "日本語の題名がとても長いので切られます"
        show(seat, Ask("Sure?", said(words, wraps=True), said(Span(title), right=["right"]), choices=CHOICES))
        await seat.sees("Sure?")
        await seat.settled()
        text = " ".join(line.split("│")[1].strip() for line in seat.glass.lines if line.count("│") == 2)
        assert words in text
        assert any("… right" in line for line in seat.glass.lines)


async def test_what_is_said_in_a_panel_is_harmless() -> None:
    panel = Panel(said("a\x1b]52;c;x\x07b\nc\u202e"))
    assert panel.text == "a]52;c;xb c"


async def test_a_status_takes_no_room_while_there_is_nothing_to_say() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 1")
        status = Status()
        seat.app.call_later(seat.app.screen.mount, status)
        await seat.settled()
        before = seat.glass.text
        seat.app.call_later(status.say, "Something is wrong.")
        await seat.sees("Something is wrong.")
        seat.app.call_later(status.say, "")
        await seat.until(lambda: seat.glass.text == before, "the screen as it was")
