"""One app after the other on one terminal: what a door runs, since an admin's app hands over to see what others see."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from uuutorrent.store.onlooking import only_looking
from uuutorrent.tui.shell import Shell


async def in_turn(first: Shell, shows: Callable[[Shell], None]) -> Shell:
    """Run an app, then whatever each hands its terminal to; returns the last. `shows` is told of each before it runs.

    An app that only looks runs in a context in which nothing can be changed; so does whatever it begins.
    """
    app = first
    while True:
        shows(app)
        try:
            with _context(app):
                await app.run_async(size=app.terminal.size if app.terminal else None)
        finally:
            app.over()
        if app.broke or app.then is None:
            return app
        if app.terminal is not None:
            app.terminal.pass_on()
        app = app.then()


def _context(app: Shell) -> AbstractContextManager[None]:
    return only_looking(app.looks_at) if app.looks_at else nullcontext()
