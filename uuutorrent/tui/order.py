"""Knowing when what was typed has been dealt with, so that the next key finds the screen which that made.

Textual hands a key to the widget with the focus at once, but moves the focus, submits, and opens screens in other
queues than that widget's: a key close behind would overtake its own cause. So a note goes the way the key went, through
the same queues, and the next key waits until it is back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual import events
from textual.app import App
from textual.errors import NoWidget
from textual.message import Message
from textual.message_pump import MessagePump

LEAST_ROUNDS, MOST_ROUNDS = 2, 6
"""One behind the key itself, one behind what its action posted; more while the focus still moves."""


def waits_for_it(app: App[Any], message: Message) -> bool:
    """Whether what comes after a message must find it dealt with.

    Not text for a line that has the focus: whatever follows goes the same way behind it. Nor moves of the mouse.
    """
    if isinstance(message, events.Key):
        return not _is_text(app, message)
    return isinstance(message, events.Paste | events.MouseDown | events.MouseUp)


def _is_text(app: App[Any], key: events.Key) -> bool:
    focused = app.screen.focused if app._screen_stack else None
    return focused is not None and focused.check_consume_key(key.key, key.character)


class Note:
    """Follows a message that was just posted to an app; calls `done` once, or never if the app ends before."""

    def __init__(self, app: App[Any], message: Message, done: Callable[[], None]) -> None:
        self._app = app
        self._message = message
        self._done = done
        self._rounds = 0
        self._began_at: MessagePump = app
        app.call_later(self._set_out)

    def _set_out(self) -> None:
        """Right behind the message in the app's queue: it is on its way to a widget by now."""
        self._began_at = self._target()
        if isinstance(self._message, events.MouseEvent):
            self._began_at = self._under(self._message) or self._began_at
        self._go_to(self._began_at)

    def _go_to(self, pump: MessagePump | None) -> None:
        """Into the queue of a widget, or of the first above it that still listens."""
        while pump is not None and pump is not self._app:
            if pump.call_later(self._go_to, pump._parent):
                return
            pump = pump._parent
        self._app.call_later(self._came_back)

    def _came_back(self) -> None:
        self._rounds += 1
        now_at = self._target()
        has_settled = now_at is self._began_at and self._rounds >= LEAST_ROUNDS
        if has_settled or self._rounds >= MOST_ROUNDS:
            self._done()
        else:
            self._began_at = now_at
            self._go_to(now_at)

    def _target(self) -> MessagePump:
        return self._app.focused or self._app.screen

    def _under(self, event: events.MouseEvent) -> MessagePump | None:
        try:
            return self._app.get_widget_at(event.x, event.y)[0]
        except NoWidget:
            return None
