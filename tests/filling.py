"""Filling in the sign-up screen as a person does who looks where they type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.app import App

LINES = ("code", "name", "password", "again", "offered", "key")
ENTER, CLEAR = "\r", "\x15"


def at(app: App[None] | None) -> str:
    """The line that is typed at."""
    focused = app.screen.focused if app is not None and app.screen_stack else None
    return focused.id or "" if focused is not None else ""


async def fill(
    app: App[None],
    types: Callable[[str], None],
    until: Callable[[Callable[[], bool]], Awaitable[None]],
    **typed: str,
) -> None:
    """Type these lines, from the one that is typed at on, and Enter after each; the last Enter asks for the account."""
    lines = [line for line in LINES if app.screen.query(f"#{line}")]
    await until(lambda: at(app) in lines)
    for line in lines[lines.index(at(app)) :]:
        await until(lambda line=line: at(app) == line)  # type: ignore[misc]  # mypy does not see through a default
        begin = CLEAR if line in typed and line != "offered" else ""
        types(begin + typed.get(line, "") + ENTER)
