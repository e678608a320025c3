"""Help as it is shown at a prompt: what to type at the left, what it does beside it, folded to the terminal."""

from __future__ import annotations

from typing import IO, Any

from cyclopts.help import HelpEntry, HelpPanel
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions

from uuutorrent.ssh.text import fold

LEFT_MOST = 30
"""Cells of the left column; what is longer has the line to itself."""
NARROWEST = 24
USAGE = "Usage: "


NAME = "uuutorrent"
"""What stands in the tree of verbs where a person's prefix does."""


class Paper(Console):
    """What is written for one person; usage lines begin with `prefix`, so that they can be typed as they stand."""

    def __init__(self, file: IO[str], width: int, prefix: str) -> None:
        super().__init__(file=file, width=width, color_system=None, force_terminal=False, _environ={})
        self.prefix = prefix


class Page:
    """Renders the help of whoever's paper it is. One of cyclopts' help formatters."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """One group of verbs or of parameters. That there is --help is known to who reads this."""
        rows = [_row(console, entry) for entry in panel.entries if "--help" not in entry.names]
        if not rows:
            return
        most = min(LEFT_MOST, console.width - NARROWEST - 4)
        margin = min(most, max(cell_len(left) for left, _ in rows)) + 4
        lines = [f"{panel.title}:"]
        for left, right in rows:
            first, *more = fold(right, max(NARROWEST, console.width - margin))
            if cell_len(left) > most:
                lines, more = [*lines, f"  {left}"], [first, *more]
            else:
                lines.append(f"  {left}".ljust(margin) + first)
            lines += [" " * margin + line for line in more]
        _print(console, "\n".join(lines) + "\n")

    def render_usage(self, console: Console, options: ConsoleOptions, usage: Any) -> None:
        """How it is typed, from the very beginning."""
        typed = str(usage).strip().removeprefix(USAGE).removeprefix(NAME).strip()
        whole = f"{console.prefix} {typed}" if isinstance(console, Paper) else typed
        indent = " " * len(USAGE)
        first, *more = fold(whole, max(NARROWEST, console.width - len(USAGE)))
        _print(console, "\n".join([USAGE + first, *(indent + line for line in more)]) + "\n")

    def render_description(self, console: Console, options: ConsoleOptions, description: Any) -> None:
        """What it is for."""
        shown = _text(console, description)
        if shown:
            _print(console, "\n".join(line for one in shown.split("\n") for line in fold(one, console.width)) + "\n")


def _row(console: Console, entry: HelpEntry) -> tuple[str, str]:
    choices = f"One of: {', '.join(entry.choices)}." if entry.choices else ""
    about = " ".join(f"{_text(console, entry.description)} {choices}".split())
    return ", ".join(entry.display_labels_with_metavar), about


def _text(console: Console, renderable: Any) -> str:
    with console.capture() as written:
        console.print(renderable or "", highlight=False, markup=False, soft_wrap=True)
    return "\n".join(line.rstrip() for line in written.get().strip().splitlines())


def _print(console: Console, text: str) -> None:
    console.print(text, highlight=False, markup=False, emoji=False, soft_wrap=True)
