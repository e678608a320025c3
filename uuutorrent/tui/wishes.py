"""Each preference of a taste as people type and read it: the same words on the screens and at a prompt."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from uuutorrent.errors import Invalid
from uuutorrent.releases import tongues
from uuutorrent.releases.release import Taste
from uuutorrent.releases.tastes import USUAL_MIN
from uuutorrent.tui.figures import count

_CODECS = {"H264": "AVC", "X264": "AVC", "H265": "HEVC", "X265": "HEVC", "H.264": "AVC", "H.265": "HEVC"}
_SOURCES = {"BLURAY": "BD", "BLU-RAY": "BD", "BDRIP": "BD", "WEB-DL": "WEB", "WEBRIP": "WEB", "HDTV": "TV"}
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([KMGT])(?:i?B)?\s*(/\s*min)?", re.IGNORECASE | re.ASCII)
_FACTORS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SPAN = re.compile(r"(\d{1,6})\s*(?:(m)(?:in(?:utes?)?)?|(h)(?:ours?)?|(d)(?:ays?)?)?", re.IGNORECASE | re.ASCII)
_MINUTES = {"m": 1, "h": 60, "d": 1440}
_YES, _NO = frozenset({"yes", "y", "ja", "true", "on", "1"}), frozenset({"", "no", "n", "false", "off", "0"})
_NOTHING = frozenset({"", "any", "none", "no limit", "-"})


@dataclass(frozen=True, slots=True)
class Wish:
    """One preference: its name in a `Taste`, how it is asked for, how it is shown and read."""

    name: str
    label: str
    hint: str
    """Stands where nothing is typed."""
    about: str
    show: Callable[[Any], str]
    """A value as it can be typed again; nothing for no preference."""
    read: Callable[[str], Any]
    """The value of what was typed. It raises `Invalid`, whose field is the caller's to name."""

    def of(self, taste: Taste) -> str:
        """What this taste wishes, as it can be typed."""
        return self.show(getattr(taste, self.name))

    def take(self, text: str) -> Any:
        """The value of what was typed.

        Raises:
            Invalid: it cannot be understood; `field` names it.
        """
        try:
            return self.read(text.strip())
        except Invalid as e:
            raise Invalid(f"{self.label}: {e.message}", field=self.name) from e


def read(typed: Mapping[str, str]) -> dict[str, Any]:
    """The values of what was typed, by the names of the preferences.

    Raises:
        Invalid: something cannot be understood; `field` names it.
    """
    return {name: BY_NAME[name].take(text) for name, text in typed.items()}


def in_words(taste: Taste) -> str:
    """The taste in one line: what differs from having none is told, and what releases are taken of."""
    parts = [", then ".join(f"{lines}p" for lines in taste.resolutions)]
    parts += [f"best from {', '.join(taste.groups)}"] if taste.groups else []
    parts += [f"waits {_show_span(taste.wait_min)} for them"] if taste.groups and taste.wait_min else []
    parts += [f"never {', '.join(taste.blocked_groups)}"] if taste.blocked_groups else []
    parts += [tongues.in_words(taste.languages)]
    parts += ["dual audio first"] if taste.dual_audio else []
    parts += ["dubs too"] if taste.dubs else []
    parts += [", ".join(taste.codecs)] if taste.codecs else []
    parts += [", ".join(f"{bits} bit" for bits in taste.bit_depths)] if taste.bit_depths else []
    parts += [", ".join(taste.sources)] if taste.sources else []
    parts += [f"at least {count(taste.min_seeders, 'seeder')}"]
    parts += ["trusted posts only"] if taste.trusted_only else []
    parts += ["remakes too" if taste.remakes else "no remakes"]
    bounds = (("at least", taste.min_bytes_per_min), ("up to", taste.max_bytes_per_min))
    parts += [f"{words} {_show_size(bound)} for {USUAL_MIN} min" for words, bound in bounds if bound]
    return " · ".join(parts)


# --- how values are shown and read


def _show_list(values: tuple[object, ...]) -> str:
    return ", ".join(map(str, values))


def _show_size(bytes_per_min: int | None) -> str:
    """To the MiB, so that what is shown is what was typed."""
    if bytes_per_min is None:
        return ""
    mebibytes = max(1, round(bytes_per_min * USUAL_MIN / (1 << 20)))
    gibibytes = mebibytes / 1024
    return f"{gibibytes:g} GiB" if mebibytes >= 1024 and round(gibibytes, 2) == gibibytes else f"{mebibytes} MiB"


def _show_span(minutes: int) -> str:
    if not minutes:
        return ""
    return f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"


def _show_flag(value: bool) -> str:
    return "yes" if value else "no"


def _read_groups(text: str) -> tuple[str, ...]:
    if text.casefold() in _NOTHING:
        return ()
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _read_words(text: str, known: Callable[[str], str]) -> tuple[str, ...]:
    if text.casefold() in _NOTHING:
        return ()
    return tuple(dict.fromkeys(known(word) for word in re.split(r"[,\s]+", text) if word))


def _read_numbers(text: str, unit: str) -> tuple[int, ...]:
    return tuple(_read_number(word.removesuffix(unit)) for word in _read_words(text.casefold(), str))


def _read_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise Invalid(f"{text} is not a number")
    return int(text)


def _read_size(text: str) -> int | None:
    """Bytes per minute; typed for as long as an episode usually is, or for a minute."""
    if text.casefold() in _NOTHING | {"0"}:
        return None
    if (said := _SIZE.fullmatch(text)) is None:
        raise Invalid(f"{text} is no size: type e.g. 700 MiB or 2 GiB (for {USUAL_MIN} minutes), or 60 MiB/min")
    return round(float(said[1]) * _FACTORS[said[2].upper()] / (1 if said[3] else USUAL_MIN))


def _read_span(text: str) -> int:
    if text.casefold() in _NOTHING | {"no"}:
        return 0
    if (said := _SPAN.fullmatch(text)) is None:
        raise Invalid(f"{text} is no time: type e.g. 90 min or 6 h")
    return int(said[1]) * _MINUTES[next((unit for unit in said.groups()[1:] if unit), "m").lower()]


def _read_flag(text: str) -> bool:
    word = text.casefold()
    if word not in _YES | _NO:
        raise Invalid("type yes or no")
    return word in _YES


def _codec(word: str) -> str:
    return _CODECS.get(word.upper(), word.upper())


def _source(word: str) -> str:
    return _SOURCES.get(word.upper(), word.upper())


WISHES = (
    Wish(
        "resolutions", "Lines, best first", "1080, 720, 480", "Other resolutions are not taken.",
        _show_list, lambda text: _read_numbers(text, "p") or Taste().resolutions,
    ),
    Wish(
        "groups", "Groups, best first", "any", "Separated by commas. Others are taken too, after these.",
        _show_list, _read_groups,
    ),
    Wish(
        "wait_min", "Wait for the first", "no wait; e.g. 6 h",
        "How long what fetches by itself waits for your first group.", _show_span, _read_span,
    ),
    Wish(
        "blocked_groups", "Groups never taken", "none", "Separated by commas.", _show_list, _read_groups,
    ),
    Wish(
        "languages", "Languages, best first", "any", "Read or heard. What is only in others is not taken.",
        _show_list, lambda text: _read_words(text, tongues.code),
    ),
    Wish(
        "dual_audio", "Dual audio first", "no", "Prefer what has the original voices and a dub.",
        _show_flag, _read_flag,
    ),
    Wish(
        "dubs", "Dubs too", "no", "Also take what has a dub and not the original voices.", _show_flag, _read_flag,
    ),
    Wish(
        "codecs", "Codecs, best first", "any; of AVC, HEVC, AV1", "Others are taken too, after these.",
        _show_list, lambda text: _read_words(text, _codec),
    ),
    Wish(
        "bit_depths", "Bit depths, best first", "any; of 8, 10", "Others are taken too, after these.",
        _show_list, lambda text: _read_numbers(text, "bit"),
    ),
    Wish(
        "sources", "Sources, best first", "any; of WEB, BD, DVD, TV", "Others are taken too, after these.",
        _show_list, lambda text: _read_words(text, _source),
    ),
    Wish(
        "min_bytes_per_min", "Smallest size", "any; e.g. 200 MiB",
        f"For {USUAL_MIN} minutes, else in proportion. Or for one: 10 MiB/min.",
        _show_size, _read_size,
    ),
    Wish(
        "max_bytes_per_min", "Largest size", "any; e.g. 2 GiB",
        f"For {USUAL_MIN} minutes, else in proportion. Or for one: 90 MiB/min.",
        _show_size, _read_size,
    ),
    Wish(
        "min_seeders", "Least seeders", "1", "What fewer people send is not taken.",
        str, lambda text: _read_number(text or str(Taste().min_seeders)),
    ),
    Wish(
        "trusted_only", "Trusted posts only", "no", "Only what the index marks as trusted.", _show_flag, _read_flag,
    ),
    Wish(
        "remakes", "Remakes too", "no", "Also take re-encodes of other groups' work.", _show_flag, _read_flag,
    ),
)  # fmt: skip
"""In the order in which they are asked."""
BY_NAME: Mapping[str, Wish] = {wish.name: wish for wish in WISHES}
