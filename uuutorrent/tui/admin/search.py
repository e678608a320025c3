"""Looking for words in the rows of a section."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from uuutorrent.tui.form import Field, FormDialog
from uuutorrent.tui.line import Span
from uuutorrent.tui.screen import DeskScreen

WORDS = Field("words", "With these words", "everything", "Every one of them, anywhere in the row.", str, str)


class WordsDialog(FormDialog[str]):
    """The words to look for; none: everything."""

    DOING = "Looking…"

    def __init__(self, before: str) -> None:
        super().__init__("Look for", (WORDS,), {WORDS.name: before})

    async def keep(self, typed: Mapping[str, str]) -> str:
        """That is the answer."""
        return typed[WORDS.name].strip()


async def ask(screen: DeskScreen, before: str) -> str:
    """What to look for, which is what it was before if nothing is answered."""
    words = await screen.app.push_screen_wait(WordsDialog(before))
    return before if words is None else words


def fits(words: str, *texts: str) -> bool:
    """Whether all words are somewhere in these texts."""
    there = " ".join(texts).casefold()
    return all(word in there for word in words.casefold().split())


def only(words: str) -> Iterable[Span]:
    """What is said where not everything is shown."""
    return [Span(f"only: {words}", "warn")] if words else []
