"""Reading the configuration: which file is in force, what the environment says over it, and what is wrong with it."""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from uuutorrent.config import PREFIX, Config, Section
from uuutorrent.errors import BadConfig

MASK = "(hidden)"
"""What is shown in place of a secret."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A key in force: its value, and who says so."""

    section: str
    key: str
    value: Any
    """As TOML and JSON know it; a secret that is set is `MASK`."""
    origin: str
    """"default", the file, the variable, or the credential."""


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
    """Read the configuration: environment, over secrets that systemd hands over, over `path` (or the file `find`
    finds), over defaults.

    Raises:
        BadConfig: with the key, what is wrong with it, and the nearest known key for an unknown one.
    """
    place = find(path)
    try:
        _check_environment()
        return Config(**_without_secrets_of_environment(_with_credentials(_given(place))))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise BadConfig(f"{place}: {e}") from e
    except ValidationError as e:
        raise BadConfig("\n".join(_explain(place, dict(error)) for error in e.errors())) from e


def explain(path: Path | None = None) -> tuple[Setting, ...]:
    """Every key in force, and where its value comes from.

    Raises:
        BadConfig: as `load`.
    """
    place = find(path)
    values, origins = load(place).model_dump(mode="json"), _Origins(place, _given(place))
    return tuple(
        Setting(
            name,
            key,
            MASK if key in section.secrets and values[name][key] else values[name][key],
            origins.of(name, key, section),
        )
        for name, section in _sections()
        for key in section.model_fields
    )


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What reading the configuration anew came to, by key: `ssh.channels`."""

    changed: tuple[str, ...]
    """In force now."""
    waiting: tuple[str, ...]
    """They changed as well, and need a restart."""


def reload(config: Config, path: Path | None = None) -> Reloaded:
    """Read the configuration anew and let `config` take over what can change while the daemon runs.

    Raises:
        BadConfig: as `load`; everything stays as it was.
    """
    fresh = load(path)
    changed: list[str] = []
    waiting: list[str] = []
    for name, section in _sections():
        ours, theirs = getattr(config, name), getattr(fresh, name)
        for key in section.model_fields:
            if getattr(ours, key) != getattr(theirs, key):
                (changed if key in section.live else waiting).append(f"{name}.{key}")
        ours.become(theirs)
    return Reloaded(tuple(changed), tuple(waiting))


class _Origins:
    """Who says what: the environment, systemd's credentials, the file, nobody."""

    def __init__(self, place: Path | None, given: Mapping[str, Any]) -> None:
        self._place, self._given = place, given
        self._environment = {name.upper(): name for name in os.environ}

    def of(self, name: str, key: str, section: type[Section]) -> str:
        keys = (key, f"{key}_file") if key in section.secrets else (key,)
        return next((origin for one in keys if (origin := self._of(name, one, section))), "default")

    def _of(self, name: str, key: str, section: type[Section]) -> str:
        variable = self._environment.get(f"{PREFIX}{name}__{key}".upper())
        whole = self._environment.get(f"{PREFIX}{name}".upper())
        if variable or (whole and key in json.loads(os.environ[whole])):
            return variable or whole or ""
        if key in section.secrets and (credential := _credential(name, key)):
            return str(credential)
        return str(self._place) if key in self._given.get(name, {}) else ""


def _given(place: Path | None) -> dict[str, Any]:
    return tomllib.loads(place.read_text()) if place else {}


def _credential(name: str, key: str) -> Path | None:
    """The file in which systemd hands over this secret. Source: systemd.exec(5), LoadCredential=."""
    place = os.environ.get("CREDENTIALS_DIRECTORY")
    found = Path(place, f"{name}.{key}") if place else None
    return found if found and found.is_file() else None


def _with_credentials(given: dict[str, Any]) -> dict[str, Any]:
    """A secret that systemd hands over goes before what the file says of it."""
    kept = dict(given)
    for name, section in _sections():
        for key in section.secrets:
            if found := _credential(name, key):
                kept[name] = {**kept.get(name, {}), f"{key}_file": str(found)}
    return kept


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
