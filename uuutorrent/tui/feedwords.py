"""Feed rules as people type and read them: the same words on the screen and at a prompt."""

from __future__ import annotations

from collections.abc import Mapping

from uuutorrent.automation.feeds.rule import DAILY, Saving, Terms
from uuutorrent.tui.amounts import number_of, size_of
from uuutorrent.tui.figures import count, size
from uuutorrent.tui.form import Field, read_flag, read_list, show_flag, show_list, taken

_FACTORS = (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1))
_OF_SAVING = ("media_id", "stopped", "daily")


def read(typed: Mapping[str, str]) -> tuple[Terms, Saving]:
    """The rule that was typed, by the names of the fields.

    Raises:
        Invalid: something cannot be understood; `field` names it.
    """
    values = taken(FIELDS, typed)
    saving = {name: values.pop(name) for name in _OF_SAVING}
    return Terms(**values), Saving(**saving)


def shown(terms: Terms, saving: Saving) -> dict[str, str]:
    """A rule as it can be typed again, by the names of the fields."""
    return {field.name: field.of(saving if field.name in _OF_SAVING else terms) for field in FIELDS}


def in_words(terms: Terms, saving: Saving) -> str:
    """What a rule takes, in one line."""
    joint = " or " if terms.is_any else " and "
    parts = [
        f"with {joint.join(f'“{word}”' for word in terms.include)}" if terms.include else "",
        f"matching {terms.regex}" if terms.regex else "",
        f"without {', '.join(f'“{word}”' for word in terms.exclude)}" if terms.exclude else "",
        f"at least {size(terms.min_bytes)}" if terms.min_bytes else "",
        f"at most {size(terms.max_bytes)}" if terms.max_bytes else "",
        f"{count(terms.min_seeders, 'seeder')} or more" if terms.min_seeders else "",
        f"in {terms.category}" if terms.category else "",
        f"new episodes of {saving.media_id}" if saving.media_id else "",
        "added stopped" if saving.stopped else "",
    ]
    said = "; ".join(filter(None, parts)) or "everything"
    return f"{said}; up to {saving.daily} a day"


def _show_number(value: int | None) -> str:
    return str(value) if value else ""


def _show_size(value: int | None) -> str:
    """Exactly: what is shown in a form is kept when something else in it is changed."""
    unit, factor = next(((unit, factor) for unit, factor in _FACTORS if value and value * 100 % factor == 0), ("B", 1))
    return f"{(value * 100 // factor) / 100:.16g} {unit}" if value else ""


def _read_size(text: str) -> int | None:
    return size_of(text) if text else None


FIELDS = (
    Field(
        "include", "With the words", "anything", "Separated by commas; case does not matter.",
        show_list, read_list,
    ),
    Field("is_any", "One is enough", "no", "No: all of the words must be there.", show_flag, read_flag),
    Field("exclude", "Without the words", "nothing", "Separated by commas.", show_list, read_list),
    Field(
        "regex", "Expression", "none; e.g. - \\d+ \\(1080p\\)", "Found anywhere in the title. RE2 syntax.", str, str,
    ),
    Field("category", "Category", "any", "Words that the item's category must hold.", str, str),
    Field("min_bytes", "Smallest size", "any; e.g. 200 MiB", "Where the feed tells sizes.", _show_size, _read_size),
    Field("max_bytes", "Largest size", "any; e.g. 2 GiB", "Where the feed tells sizes.", _show_size, _read_size),
    Field(
        "min_seeders", "Least seeders", "any", "Where the feed tells them.",
        _show_number, lambda text: number_of(text or "0"),
    ),
    Field(
        "media_id", "Only this show", "any; AniList's number",
        "Then only new episodes of it are taken, each once, to your taste.",
        _show_number, lambda text: number_of(text or "0") or None,
    ),
    Field("stopped", "Add stopped", "no", "Nothing is downloaded until you say so.", show_flag, read_flag),
    Field(
        "daily", "Most in a day", str(DAILY), "A rule never takes more in 24 hours.",
        _show_number, lambda text: number_of(text or str(DAILY)),
    ),
)  # fmt: skip
"""In the order in which they are asked."""
