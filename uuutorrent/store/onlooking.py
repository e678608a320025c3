"""Whoever only looks: from a session in which an admin sees what somebody else sees, nothing at all is changed.

The mark is on the whole context of that session's screens, the one such thing in the house: on the user it would be
lost at the first step that is the system's. The database refuses to write for it, and so does whatever changes
something outside. A call that several sessions share (`remote.Fresh`) is nobody's, and unmarked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from uuutorrent.errors import Refused

_WHOM: ContextVar[str] = ContextVar("whom an admin only looks at", default="")


@contextmanager
def only_looking(name: str) -> Iterator[None]:
    """What is begun in here looks at what the user of this name sees, and changes nothing."""
    before = _WHOM.set(name)
    try:
        yield
    finally:
        _WHOM.reset(before)


def is_looking() -> bool:
    """Whether nothing may be changed from here."""
    return bool(_WHOM.get())


def refusal() -> Refused:
    """What whoever tries is told."""
    return Refused(f"you only look at what {_WHOM.get()} sees: nothing can be changed")


def refuse() -> None:
    """Let nobody on who only looks.

    Raises:
        Refused: they do.
    """
    if is_looking():
        raise refusal()
