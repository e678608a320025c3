"""Questions: small screens over a screen, each typed by its answer. Escape answers nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from uuutorrent.errors import UuuError
from uuutorrent.tui.bars import KeyBar
from uuutorrent.tui.line import Line, Span
from uuutorrent.tui.panel import Panel, Said, Status, said
from uuutorrent.tui.shell import Shell

AnswerT = TypeVar("AnswerT")


class Dialog(ModalScreen[AnswerT | None]):
    """A frame for a question: its title, its body, a place for trouble, and its keys."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel", id="dialog.cancel")]

    def __init__(self, title: str) -> None:
        super().__init__()
        self.heading = title

    @property
    def shell(self) -> Shell:
        """The app this dialog belongs to."""
        app = self.app
        if not isinstance(app, Shell):
            raise TypeError("a dialog is shown by a Shell")
        return app

    @property
    def status(self) -> Status:
        """Where the dialog says what is going on or went wrong."""
        return self.query_one(Status)

    def compose(self) -> ComposeResult:
        """The frame around the body."""
        with Vertical(classes="dialog"):
            yield Line(Span(f" {self.heading} ", "accent"), classes="title")
            yield from self.body()
            yield Status()
            yield KeyBar()

    def body(self) -> ComposeResult:
        """The widgets of this question."""
        yield from ()

    def busy(self, doing: str) -> None:
        """Say what is going on."""
        self.status.say(doing, busy=True)

    def failed(self, error: UuuError) -> None:
        """Say what went wrong, where the person is looking."""
        self.status.say(error.message, "bad")

    def action_cancel(self) -> None:
        """Answer nothing. What is going on for this question is given up."""
        self.workers.cancel_node(self)
        self.dismiss(None)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several answers, and the key that gives it."""

    key: str
    label: str
    answer: str
    is_grave: bool = False
    """Something is lost by it."""


class Ask(Dialog[str]):
    """A question with a few answers, each with a key of its own; the answer is the choice's `answer`."""

    def __init__(self, title: str, *text: Said, choices: Sequence[Choice]) -> None:
        super().__init__(title)
        self._text = text
        self.choices = tuple(choices)

    def body(self) -> ComposeResult:
        """What it is about, and the answers."""
        yield Panel(
            *self._text, *([said()] if self._text else []), *(_line(choice) for choice in self.choices), classes="words"
        )

    def on_key(self, event: events.Key) -> None:
        """Take the key of a choice."""
        for choice in self.choices:
            if choice.key in (event.key, event.character):
                event.stop()
                self.chosen(choice.answer)

    def action_choose(self, answer: str) -> None:
        """Take the choice that was clicked."""
        self.chosen(answer)

    def chosen(self, answer: str) -> None:
        """What a choice does: it is the answer."""
        self.dismiss(answer)


class Typed(Input):
    """A line to type into; Enter says that it is done."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Done", id="dialog.done")]


class Pasted(Typed):
    """A line that takes a paste of several lines as one: terminals and pages break long texts."""

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor(self.joined(event.text))

    def joined(self, text: str) -> str:
        """The pasted text in one line."""
        return " ".join(text.split())


def _line(choice: Choice) -> Said:
    press = f"screen.choose('{choice.answer}')"
    return said(
        Span(f" {choice.key} ", "key", press), Span(f" {choice.label}", "bad" if choice.is_grave else "", press)
    )
