"""Forms: a line for each thing that is asked for, how each is shown and read, and the dialog they are typed in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.events import DescendantFocus
from textual.widgets import Input

from uuutorrent.errors import Invalid, UuuError
from uuutorrent.tui.dialogs import AnswerT, Dialog, Pasted
from uuutorrent.tui.line import Line, Span
from uuutorrent.tui.panel import Panel, Said

LONGEST = 4096
"""Characters of a line."""
NOTHING = frozenset({"", "any", "none", "no limit", "-"})
"""What people type for no preference."""
_YES, _NO = frozenset({"yes", "y", "ja", "true", "on", "1"}), frozenset({"", "no", "n", "false", "off", "0"})


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a form: the name of what it says, how it is asked for, shown and read."""

    name: str
    label: str
    hint: str
    """Stands where nothing is typed."""
    about: str
    show: Callable[[Any], str]
    """A value as it can be typed again."""
    read: Callable[[str], Any]
    """The value of what was typed. It raises `Invalid`, whose field is the caller's to name."""

    def of(self, thing: object) -> str:
        """What a thing has under this name, as it can be typed."""
        return self.show(getattr(thing, self.name))

    def take(self, text: str) -> Any:
        """The value of what was typed.

        Raises:
            Invalid: it cannot be understood; `field` names it.
        """
        try:
            return self.read(text.strip())
        except Invalid as e:
            raise Invalid(f"{self.label}: {e.message}", field=self.name) from e


def taken(fields: Iterable[Field], typed: Mapping[str, str]) -> dict[str, Any]:
    """The values of what was typed, by the names of the fields; only of those that are there.

    Raises:
        Invalid: something cannot be understood; `field` names it.
    """
    return {field.name: field.take(typed[field.name]) for field in fields if field.name in typed}


def show_list(values: Iterable[object]) -> str:
    """Several of something, as they are typed."""
    return ", ".join(map(str, values))


def read_list(text: str) -> tuple[str, ...]:
    """What stands between commas, each once."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def show_flag(value: bool) -> str:
    """A yes or no, as it is typed."""
    return "yes" if value else "no"


def read_flag(text: str) -> bool:
    """A yes or no; nothing is no.

    Raises:
        Invalid: it is neither.
    """
    word = text.casefold()
    if word not in _YES | _NO:
        raise Invalid("type yes or no")
    return word in _YES


class Fields(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Lines to type into; the arrows go from one to the next rather than scroll."""


class FormDialog(Dialog[AnswerT]):
    """A line for each field, Enter is done; the answer is what `keep` gives, which is kept by then."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Up", id="form.up", show=False),
        Binding("down", "app.focus_next", "Down", id="form.down", show=False),
    ]
    DOING = "Saving…"
    """What is said meanwhile."""

    def __init__(
        self, title: str, fields: Sequence[Field], values: Mapping[str, str], *text: Said, longest: int = LONGEST
    ) -> None:
        super().__init__(title)
        self.fields = tuple(fields)
        self._values = values
        self._text = text
        self._longest = longest
        self.add_class("form")

    @abstractmethod
    async def keep(self, typed: Mapping[str, str]) -> AnswerT:
        """Do with what was typed what it was typed for.

        Raises:
            UuuError: it cannot be done.
        """

    def body(self) -> ComposeResult:
        """The lines, and words about the one that is typed at."""
        if self._text:
            yield Panel(*self._text, classes="words")
        with Fields():
            for field in self.fields:
                with Horizontal(classes="field"):
                    yield Line(field.label, classes="label")
                    yield Pasted(
                        self._values.get(field.name, ""),
                        placeholder=field.hint,
                        id=field.name,
                        compact=True,
                        max_length=self._longest,
                    )
        yield Line(id="hint")

    def line(self, name: str) -> Input:
        """Where a field is typed."""
        return self.query_one(f"#{name}", Input)

    @on(DescendantFocus)
    def _explain(self, event: DescendantFocus) -> None:
        about = next((field.about for field in self.fields if field.name == event.widget.id), "")
        self.query_one("#hint", Line).set(Span(f"  {about}" if about else "", "dim"))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self._keep({field.name: self.line(field.name).value for field in self.fields})

    @work(group="keep", exclusive=True)
    async def _keep(self, typed: Mapping[str, str]) -> None:
        self.busy(self.DOING)
        try:
            self.dismiss(await self.keep(typed))
        except UuuError as e:
            self.failed(e)
            if isinstance(e, Invalid) and e.field in typed:
                self.line(e.field).focus()
