"""Feed rules as people type and read them: the same words on the screen and at a prompt."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from uuutorrent.automation.rule import DAILY, Saving, Terms
from uuutorrent.errors import Invalid
from uuutorrent.tui.figures import count, size

_FACTORS = (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1))
_SIZE = re.compile(r"(\d{1,16}(?:\.\d{1,6})?)\s*([kmgtb]?)(?:i?b)?", re.I | re.ASCII)
_YES, _NO = frozenset({"yes", "y", "true", "on", "1"}), frozenset({"", "no", "n", "false", "off", "0"})


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a rule's form: its name in `Terms` or `Saving`, how it is asked for, shown and read."""

    name: str
    label: str
    hint: str
    """Stands where nothing is typed."""
    about: str
    show: Callable[[Any], str]
    read: Callable[[str], Any]

    def take(self, text: str) -> Any:
        """The value of what was typed.

        Raises:
            Invalid: it cannot be understood; `field` names it.
        """
        try:
            return self.read(text.strip())
        except Invalid as e:
            raise Invalid(f"{self.label}: {e.message}", field=self.name) from e


def read(typed: Mapping[str, str]) -> tuple[Terms, Saving]:
    """The rule that was typed, by the names of the fields.

    Raises:
        Invalid: something cannot be understood; `field` names it.
    """
    values = {field.name: field.take(typed[field.name]) for field in FIELDS}
    saving = {name: values.pop(name) for name in ("media_id", "stopped", "daily")}
    return Terms(**values), Saving(**saving)


def shown(terms: Terms, saving: Saving) -> dict[str, str]:
    """A rule as it can be typed again, by the names of the fields."""
    values = asdict(terms) | asdict(saving)
    return {field.name: field.show(values[field.name]) for field in FIELDS}


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


def _show_words(words: tuple[str, ...]) -> str:
    return ", ".join(words)


def _read_words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _show_number(value: int | None) -> str:
    return str(value) if value else ""


def _read_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Invalid(f"{text} is not a number")
    return int(text)


def _show_size(value: int | None) -> str:
    """Exactly: what is shown in a form is kept when something else in it is changed."""
    unit, factor = next(((unit, factor) for unit, factor in _FACTORS if value and value * 100 % factor == 0), ("B", 1))
    return f"{(value * 100 // factor) / 100:.16g} {unit}" if value else ""


def _read_size(text: str) -> int | None:
    if not text:
        return None
    said = _SIZE.fullmatch(text)
    if said is None:
        raise Invalid(f"{text} is no size: type e.g. 700 MiB or 2 GiB")
    factors = {unit[0]: factor for unit, factor in _FACTORS}
    return round(Decimal(said[1]) * factors[(said[2] or "B").upper()])


def _show_flag(value: bool) -> str:
    return "yes" if value else "no"


def _read_flag(text: str) -> bool:
    if text.casefold() not in _YES | _NO:
        raise Invalid("type yes or no")
    return text.casefold() in _YES


FIELDS = (
    Field(
        "include", "With the words", "anything", "Separated by commas; case does not matter.",
        _show_words, _read_words,
    ),
    Field("is_any", "One is enough", "no", "No: all of the words must be there.", _show_flag, _read_flag),
    Field("exclude", "Without the words", "nothing", "Separated by commas.", _show_words, _read_words),
    Field(
        "regex", "Expression", "none; e.g. - \\d+ \\(1080p\\)", "Found anywhere in the title. RE2 syntax.", str, str,
    ),
    Field("category", "Category", "any", "Words that the item's category must hold.", str, str),
    Field("min_bytes", "Smallest size", "any; e.g. 200 MiB", "Where the feed tells sizes.", _show_size, _read_size),
    Field("max_bytes", "Largest size", "any; e.g. 2 GiB", "Where the feed tells sizes.", _show_size, _read_size),
    Field(
        "min_seeders", "Least seeders", "any", "Where the feed tells them.",
        _show_number, lambda text: _read_number(text or "0"),
    ),
    Field(
        "media_id", "Only this show", "any; AniList's number",
        "Then only new episodes of it are taken, each once, to your taste.",
        _show_number, lambda text: _read_number(text or "0") or None,
    ),
    Field("stopped", "Add stopped", "no", "Nothing is downloaded until you say so.", _show_flag, _read_flag),
    Field(
        "daily", "Most in a day", str(DAILY), "A rule never takes more in 24 hours.",
        _show_number, lambda text: _read_number(text or str(DAILY)),
    ),
)  # fmt: skip
"""In the order in which they are asked."""
