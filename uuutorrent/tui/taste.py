"""A person's taste among releases: what is taken without asking, and in which order of preference."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input

from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid, UuuError
from uuutorrent.releases.release import Taste
from uuutorrent.tui.dialogs import Dialog, Typed
from uuutorrent.tui.figures import count, size
from uuutorrent.tui.line import Line

_CODECS = {"H264": "AVC", "X264": "AVC", "H265": "HEVC", "X265": "HEVC", "H.264": "AVC", "H.265": "HEVC"}
_SIZE = re.compile(r"(\d{1,6}(?:\.\d+)?)\s*([MG])(?:I?B)?", re.IGNORECASE)
_FACTORS = {"M": 1 << 20, "G": 1 << 30}
_YES, _NO = frozenset({"yes", "y", "ja", "true", "on", "1"}), frozenset({"", "no", "n", "false", "off", "0"})
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Field:
    """One preference: its name in a `Taste`, how it is asked for, how it is shown."""

    name: str
    label: str
    hint: str
    show: Callable[[Taste], str]


FIELDS = (
    Field(
        "resolutions",
        "Lines, best first",
        "1080, 720, 480; others are not taken",
        lambda t: ", ".join(map(str, t.resolutions)),
    ),
    Field("groups", "Groups, best first", "any; separated by commas", lambda t: ", ".join(t.groups)),
    Field("blocked_groups", "Groups never taken", "none", lambda t: ", ".join(t.blocked_groups)),
    Field("codecs", "Codecs, best first", "any; of AVC, HEVC, AV1", lambda t: ", ".join(t.codecs)),
    Field("min_seeders", "Least seeders", "1", lambda t: str(t.min_seeders)),
    Field("remakes", "Remakes too", "no", lambda t: "yes" if t.remakes else "no"),
    Field(
        "max_episode_bytes",
        "Largest episode",
        "no limit; e.g. 2 GiB",
        lambda t: size(t.max_episode_bytes) if t.max_episode_bytes else "",
    ),
)


class TasteDialog(Dialog[Taste]):
    """A line for each preference; the answer is the taste, which is remembered by then."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Up", id="taste.up", show=False),
        Binding("down", "app.focus_next", "Down", id="taste.down", show=False),
    ]

    def __init__(self, desk: Desk, taste: Taste) -> None:
        super().__init__("What you like among releases")
        self.desk = desk
        self._taste = taste
        self.add_class("form")

    def body(self) -> ComposeResult:
        """The preferences."""
        with VerticalScroll(can_focus=False):
            for field in FIELDS:
                with Horizontal(classes="field"):
                    yield Line(field.label, classes="label")
                    yield Typed(
                        field.show(self._taste), placeholder=field.hint, id=field.name, compact=True, max_length=LONGEST
                    )

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        """Remember it."""
        try:
            taste = read({field.name: self.query_one(f"#{field.name}", Input).value for field in FIELDS})
        except Invalid as e:
            self._point_at(e)
            return
        self._save(taste)

    @work(group="save", exclusive=True)
    async def _save(self, taste: Taste) -> None:
        self.busy("Saving…")
        try:
            await self.desk.releases.set_taste(self.desk.user, taste)
        except Invalid as e:
            self._point_at(e)
        except UuuError as e:
            self.failed(e)
        else:
            self.dismiss(taste)

    def _point_at(self, error: Invalid) -> None:
        self.failed(error)
        if error.field:
            for field in self.query(f"#{error.field}"):
                field.focus()


def read(typed: dict[str, str]) -> Taste:
    """The taste that was typed, by the names of the fields.

    Raises:
        Invalid: a line cannot be understood; `field` names it.
    """
    return Taste(
        resolutions=tuple(
            _number(word.rstrip("pP"), "resolutions") for word in re.split(r"[,\s]+", typed["resolutions"]) if word
        ),
        groups=_words(typed["groups"]),
        blocked_groups=_words(typed["blocked_groups"]),
        codecs=tuple(_CODECS.get(word.upper(), word.upper()) for word in re.split(r"[,\s]+", typed["codecs"]) if word),
        min_seeders=_number(typed["min_seeders"] or "1", "min_seeders"),
        remakes=_yes(typed["remakes"]),
        max_episode_bytes=_bytes(typed["max_episode_bytes"]),
    )


def in_words(taste: Taste) -> str:
    """The taste in one line."""
    parts = [", then ".join(f"{lines}p" for lines in taste.resolutions)]
    parts += [f"best from {', '.join(taste.groups)}"] if taste.groups else []
    parts += [f"never {', '.join(taste.blocked_groups)}"] if taste.blocked_groups else []
    parts += [", ".join(taste.codecs)] if taste.codecs else []
    parts += [f"at least {count(taste.min_seeders, 'seeder')}", "remakes too" if taste.remakes else "no remakes"]
    parts += [f"up to {size(taste.max_episode_bytes)}"] if taste.max_episode_bytes else []
    return " · ".join(parts)


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _number(text: str, field: str) -> int:
    if not text.strip().isdecimal() or len(text) > 9:
        raise Invalid(f"{text} is not a number", field=field)
    return int(text)


def _yes(text: str) -> bool:
    word = text.strip().casefold()
    if word not in _YES | _NO:
        raise Invalid("remakes: type yes or no", field="remakes")
    return word in _YES


def _bytes(text: str) -> int | None:
    if not text.strip():
        return None
    if (read := _SIZE.fullmatch(text.strip())) is None:
        raise Invalid(
            f"{text} is no size: type e.g. 700 MiB or 2 GiB, or nothing for no limit", field="max_episode_bytes"
        )
    return int(float(read[1]) * _FACTORS[read[2].upper()])
