"""What somebody wants to happen by itself: the words, and the form. The autopilot's mode has a dialog of its own."""

from __future__ import annotations

from collections.abc import Mapping

from uuutorrent.automation.preferences import MOST_DAYS, Preferences, Watched
from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid
from uuutorrent.tui.amounts import number_of
from uuutorrent.tui.figures import count
from uuutorrent.tui.form import NOTHING, Field, FormDialog, read_flag, show_flag, taken

_WATCHED = {
    Watched.OFF: "progress is yours to set",
    Watched.ASK: "asks what you watched",
    Watched.SET: "fetched counts as watched",
}


def in_words(wishes: Preferences) -> str:
    """What happens by itself, in one line."""
    parts = [
        _WATCHED[wishes.watched],
        f"deletes watched after {count(wishes.tidy_days, 'day')}" if wishes.tidy_days else "deletes nothing",
        "takes corrected versions" if wishes.upgrades else "takes no corrected versions",
    ]
    return " · ".join(parts)


def _read_watched(text: str) -> Watched:
    known = {one.value: one for one in Watched}
    if text.casefold() not in known:
        raise Invalid(f"type one of {', '.join(known)}")
    return known[text.casefold()]


def _read_days(text: str) -> int:
    return 0 if text.casefold() in NOTHING | {"never", "no"} else number_of(text.removesuffix("days").strip())


FIELDS = (
    Field(
        "watched", "Watched?", "off, ask or set", "A file was read to its end: off; ask in the inbox; set progress.",
        lambda watched: watched.value, _read_watched,
    ),
    Field(
        "upgrades", "Corrected versions", "yes", "A corrected one of the same group takes the first's place.",
        show_flag, lambda text: read_flag(text or "yes"),
    ),
    Field(
        "tidy_days", "Delete when watched", "never; or after so many days",
        f"Watched and served to you, so many days ago (at most {MOST_DAYS}).",
        lambda days: str(days) if days else "", _read_days,
    ),
)  # fmt: skip


class WishesDialog(FormDialog[Preferences]):
    """What is to happen by itself; the answer is what is wished by then."""

    def __init__(self, desk: Desk, wishes: Preferences) -> None:
        super().__init__("What happens by itself", FIELDS, {field.name: field.of(wishes) for field in FIELDS})
        self.desk = desk

    async def keep(self, typed: Mapping[str, str]) -> Preferences:
        """Remember it."""
        return await self.desk.preferences.change(self.desk.user, **taken(FIELDS, typed))
