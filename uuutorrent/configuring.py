"""Reading the configuration: which file is in force, what the environment says over it, and what is wrong with it."""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from uuutorrent.config import PREFIX, Config, Section
from uuutorrent.errors import BadConfig


def find(explicit: Path | None = None) -> Path | None:
    """The configuration file in force, or None when there is none and the defaults hold.

    Raises:
        BadConfig: a file was asked for by name and is not there.
    """
    named = explicit or (Path(os.environ["UUUTORRENT_CONFIG"]) if os.environ.get("UUUTORRENT_CONFIG") else None)
    if named is not None:
        if not named.is_file():
            raise BadConfig(f"there is no configuration file {named}")
        return named
    xdg = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    places = (Path("config.toml"), xdg / "uuutorrent/config.toml", Path("/etc/uuutorrent/config.toml"))
    return next((place for place in places if place.is_file()), None)


def load(path: Path | None = None) -> Config:
    """Read the configuration: environment over `path` (or the file `find` finds) over defaults.

    Raises:
        BadConfig: with the key, what is wrong with it, and the nearest known key for an unknown one.
    """
    place = find(path)
    try:
        given = tomllib.loads(place.read_text()) if place else {}
        _check_environment()
        return Config(**_without_secrets_of_environment(given))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise BadConfig(f"{place}: {e}") from e
    except ValidationError as e:
        raise BadConfig("\n".join(_explain(place, dict(error)) for error in e.errors())) from e


def _check_environment() -> None:
    """The library passes over variables it has no key for; a typing mistake must not."""
    known = {f"{PREFIX}{key.replace('.', '__')}".upper() for key in _known_keys()} | {f"{PREFIX}CONFIG"}
    sections = tuple(f"{PREFIX}{name}__".upper() for name in Config.model_fields)
    for name in os.environ:
        # A mistake within a known section is found, and explained, like one in the file.
        if name.upper().startswith(PREFIX) and name.upper() not in known and not name.upper().startswith(sections):
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.5)
            raise BadConfig(f"{name}: there is no such key" + (f"; did you mean {near[0]}?" if near else ""))


def _without_secrets_of_environment(given: dict[str, Any]) -> dict[str, Any]:
    """A secret in the environment, or its file there, goes before both the secret and its file in the file."""
    there = {name.upper() for name in os.environ}
    kept = dict(given)
    for name, section in _sections():
        for key in section.secrets:
            pair = {key, f"{key}_file"}
            if there & {f"{PREFIX}{name}__{one}".upper() for one in pair} and isinstance(kept.get(name), dict):
                kept[name] = {key: value for key, value in kept[name].items() if key not in pair}
    return kept


def _explain(place: Path | None, error: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in error["loc"])
    where = f"{place}: " if place else ""
    if error["type"] != "extra_forbidden":
        return f"{where}{key}: {error['msg'].removeprefix('Value error, ')}"
    near = difflib.get_close_matches(key, _known_keys(), n=1, cutoff=0.5)
    return f"{where}{key}: there is no such key" + (f"; did you mean {near[0]}?" if near else "")


def _known_keys() -> list[str]:
    return [*Config.model_fields, *(f"{name}.{key}" for name, section in _sections() for key in section.model_fields)]


def _sections() -> list[tuple[str, type[Section]]]:
    fields = ((name, field.annotation) for name, field in Config.model_fields.items())
    return [(name, kind) for name, kind in fields if isinstance(kind, type) and issubclass(kind, Section)]
