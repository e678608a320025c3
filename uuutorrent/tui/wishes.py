"""Each preference of a taste as people type and read it: the same words on the screens and at a prompt."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from uuutorrent.errors import Invalid
from uuutorrent.releases import tongues
from uuutorrent.releases.release import Taste
from uuutorrent.releases.tastes import USUAL_MIN
from uuutorrent.tui.amounts import SIZES, number_of, size_of
from uuutorrent.tui.figures import count
from uuutorrent.tui.form import NOTHING, Field, read_flag, read_list, show_flag, show_list, taken

_CODECS = {"H264": "AVC", "X264": "AVC", "H265": "HEVC", "X265": "HEVC", "H.264": "AVC", "H.265": "HEVC"}
_SOURCES = {"BLURAY": "BD", "BLU-RAY": "BD", "BDRIP": "BD", "WEB-DL": "WEB", "WEBRIP": "WEB", "HDTV": "TV"}
_PER_MIN = re.compile(r"\s*/\s*min$", re.IGNORECASE)
_SPAN = re.compile(r"(\d{1,6})\s*(?:(m)(?:in(?:utes?)?)?|(h)(?:ours?)?|(d)(?:ays?)?)?", re.IGNORECASE | re.ASCII)
_MINUTES = {"m": 1, "h": 60, "d": 1440}


def read(typed: Mapping[str, str]) -> dict[str, Any]:
    """The values of what was typed, by the names of the preferences.

    Raises:
        Invalid: something cannot be understood; `field` names it.
    """
    return taken(WISHES, typed)


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


def _read_groups(text: str) -> tuple[str, ...]:
    if text.casefold() in NOTHING:
        return ()
    return read_list(text)


def _read_words(text: str, known: Callable[[str], str]) -> tuple[str, ...]:
    if text.casefold() in NOTHING:
        return ()
    return tuple(dict.fromkeys(known(word) for word in re.split(r"[,\s]+", text) if word))


def _read_numbers(text: str, unit: str) -> tuple[int, ...]:
    return tuple(number_of(word.removesuffix(unit)) for word in _read_words(text.casefold(), str))


def _read_size(text: str) -> int | None:
    """Bytes per minute; typed for as long as an episode usually is, or for a minute."""
    if text.casefold() in NOTHING | {"0"}:
        return None
    amount, per_min = _PER_MIN.subn("", text)
    such_as = f"{SIZES} (for {USUAL_MIN} minutes), or 60 MiB/min"
    return round(size_of(amount, such_as=such_as, bare=None) / (1 if per_min else USUAL_MIN))


def _read_span(text: str) -> int:
    if text.casefold() in NOTHING | {"no"}:
        return 0
    if (said := _SPAN.fullmatch(text)) is None:
        raise Invalid(f"{text} is no time: type e.g. 90 min or 6 h")
    return int(said[1]) * _MINUTES[next((unit for unit in said.groups()[1:] if unit), "m").lower()]


def _codec(word: str) -> str:
    return _CODECS.get(word.upper(), word.upper())


def _source(word: str) -> str:
    return _SOURCES.get(word.upper(), word.upper())


WISHES = (
    Field(
        "resolutions", "Lines, best first", "1080, 720, 480", "Other resolutions are not taken.",
        show_list, lambda text: _read_numbers(text, "p") or Taste().resolutions,
    ),
    Field(
        "groups", "Groups, best first", "any", "Separated by commas. Others are taken too, after these.",
        show_list, _read_groups,
    ),
    Field(
        "wait_min", "Wait for the first", "no wait; e.g. 6 h",
        "How long what fetches by itself waits for your first group.", _show_span, _read_span,
    ),
    Field(
        "blocked_groups", "Groups never taken", "none", "Separated by commas.", show_list, _read_groups,
    ),
    Field(
        "languages", "Languages, best first", "any", "Read or heard. What is only in others is not taken.",
        show_list, lambda text: _read_words(text, tongues.code),
    ),
    Field(
        "dual_audio", "Dual audio first", "no", "Prefer what has the original voices and a dub.",
        show_flag, read_flag,
    ),
    Field(
        "dubs", "Dubs too", "no", "Also take what has a dub and not the original voices.", show_flag, read_flag,
    ),
    Field(
        "codecs", "Codecs, best first", "any; of AVC, HEVC, AV1", "Others are taken too, after these.",
        show_list, lambda text: _read_words(text, _codec),
    ),
    Field(
        "bit_depths", "Bit depths, best first", "any; of 8, 10", "Others are taken too, after these.",
        show_list, lambda text: _read_numbers(text, "bit"),
    ),
    Field(
        "sources", "Sources, best first", "any; of WEB, BD, DVD, TV", "Others are taken too, after these.",
        show_list, lambda text: _read_words(text, _source),
    ),
    Field(
        "min_bytes_per_min", "Smallest size", "any; e.g. 200 MiB",
        f"For {USUAL_MIN} minutes, else in proportion. Or for one: 10 MiB/min.",
        _show_size, _read_size,
    ),
    Field(
        "max_bytes_per_min", "Largest size", "any; e.g. 2 GiB",
        f"For {USUAL_MIN} minutes, else in proportion. Or for one: 90 MiB/min.",
        _show_size, _read_size,
    ),
    Field(
        "min_seeders", "Least seeders", "1", "What fewer people send is not taken.",
        str, lambda text: number_of(text or str(Taste().min_seeders)),
    ),
    Field(
        "trusted_only", "Trusted posts only", "no", "Only what the index marks as trusted.", show_flag, read_flag,
    ),
    Field(
        "remakes", "Remakes too", "no", "Also take re-encodes of other groups' work.", show_flag, read_flag,
    ),
)  # fmt: skip
"""In the order in which they are asked."""
BY_NAME: Mapping[str, Field] = {wish.name: wish for wish in WISHES}
