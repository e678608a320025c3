"""The program itself, copied from whatever runs now (a wheel's environment, a checkout, the one file) to /opt.

Each version has a place of its own, a virtual environment without pip; `bin/uuutorrent` leads to the one in force,
so that going back is one link. The copy is root's: what the daemon may write, it never runs.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import uuutorrent
from uuutorrent.errors import Refused
from uuutorrent.installing.step import Step
from uuutorrent.installing.system import System
from uuutorrent.store import migrate

PLACE = "/opt/uuutorrent"
COMMAND = "/usr/local/bin/uuutorrent"
KEPT = 3
"""Versions."""
_NAME, _EXTRA = re.compile(r"[A-Za-z0-9._-]+"), re.compile(r"extra\s*==\s*['\"]([^'\"]+)")
_PACKAGE = Path(uuutorrent.__file__).resolve().parent
_BESIDE = ("migrations", "systemd")
"""What a checkout has beside the package."""
_HOMES = ("home", "root", "tmp")
_NOT_COPIED = ("..", "uuutorrent")
"""Commands, and the package itself, which is copied apart."""


def assets() -> Path:
    """The units and what else belongs to the machine: in the wheel inside the package, in a checkout beside it."""
    inside = _PACKAGE / "systemd"
    return inside if inside.is_dir() else _PACKAGE.parent / "systemd"


def version() -> str:
    """The version that runs now, and what its bytes are: `0.1.0-1a2b3c4d`."""
    told = distribution("uuutorrent")
    digest = hashlib.sha256()
    for one in sorted(needed(), key=lambda one: one.name):
        digest.update(f"{one.name} {one.version}\n".encode())
    for source, target in _ours():
        digest.update(str(target).encode() + source.read_bytes())
    return f"{told.version}-{digest.hexdigest()[:8]}"


def steps(system: System) -> list[Step]:
    """The copy, the link that puts it in force, and the command for everybody's PATH."""
    name = version()
    own, current = f"{PLACE}/versions/{name}", f"{PLACE}/bin/uuutorrent"
    return [
        Step(
            f"The program is in {own}.",
            lambda: system.at(f"{own}/bin/uuutorrent").is_file(),
            lambda: _copy(system, own),
            lambda: shutil.rmtree(system.at(PLACE), ignore_errors=True),
        ),
        _link(system, current, f"../versions/{name}/bin/uuutorrent", "is the version in force"),
        _link(system, COMMAND, current, "is the command"),
    ]


def _link(system: System, path: str, target: str, what: str) -> Step:
    place = system.at(path)

    def do() -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{place.name}.new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(target)
        draft.replace(place)

    return Step(
        f"{path} leads to {target}: it {what}.",
        lambda: place.is_symlink() and str(place.readlink()) == target,
        do,
        lambda: place.unlink(missing_ok=True),
    )


def needed() -> list[Distribution]:
    """What the program is made of: itself, and what it requires, with what that requires."""
    found: dict[str, Distribution] = {}
    waiting = [("uuutorrent", frozenset[str]())]
    seen = set[tuple[str, frozenset[str]]]()
    while waiting:
        name, extras = one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # for another Python or another system
            continue
        waiting += _requirements(found[name], extras)
    return list(found.values())


def _requirements(one: Distribution, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for line in one.requires or ():
        named = _NAME.match(line)
        only_with = _EXTRA.search(line)
        if named and (only_with is None or only_with[1] in extras):
            asked = re.match(r"[^;\[]*\[([^\]]*)\]", line)
            words = asked[1].split(",") if asked else ()
            yield re.sub(r"[-_.]+", "-", named[0]).lower(), frozenset(word.strip() for word in words)


def _copy(system: System, own: str) -> None:
    place, python = system.at(own), _python()
    draft = place.with_name(f".{place.name}")
    shutil.rmtree(draft, ignore_errors=True)
    site = draft / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    (draft / "bin").mkdir(parents=True)
    for one in needed():
        _copy_distribution(one, site)
    for source, target in _ours():
        _copy_file(source, site / "uuutorrent" / target)
    (draft / "pyvenv.cfg").write_text(f"home = {Path(python).parent}\ninclude-system-site-packages = false\n")
    (draft / "bin/python").symlink_to(python)
    system.does(str(draft / "bin/python"), "-Im", "compileall", "-q", str(site))
    script = draft / "bin/uuutorrent"
    script.write_text(f"#!{own}/bin/python -I\nfrom uuutorrent.cli import main\n\nmain()\n")
    script.chmod(0o755)
    shutil.rmtree(place, ignore_errors=True)
    draft.rename(place)
    _drop_old(place)


def _drop_old(newest: Path) -> None:
    """Those that were put there longest ago; never the one that is linked."""
    linked = newest.parents[1] / "bin/uuutorrent"
    in_force = linked.resolve().parents[1] if linked.exists() else newest
    others = sorted((one for one in newest.parent.iterdir() if one != newest), key=lambda one: one.stat().st_mtime)
    for old in others[: max(0, len(others) - (KEPT - 1))]:
        if old.resolve() != in_force:
            shutil.rmtree(old)


def _copy_distribution(one: Distribution, site: Path) -> None:
    """As its list of files says; the old way of installing has another list, so there all below its names is taken."""
    home = Path(str(one.locate_file("")))
    if one.read_text("installed-files.txt") is None:
        files = [home / Path(*file.parts) for file in one.files or () if file.parts[0] not in _NOT_COPIED]
    else:
        tops = [home / name for name in (one.read_text("top_level.txt") or "").split()]
        infos = home.glob(f"{one.name}-*.egg-info")
        files = [file for top in (*tops, *infos) for file in ((top, *top.rglob("*")) if top.is_dir() else (top,))]
    for file in files:
        if file.is_file() and "__pycache__" not in file.parts and not file.name.endswith(".pth"):
            _copy_file(file, site / file.relative_to(home))


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def _ours() -> Iterator[tuple[Path, Path]]:
    """Our own files, and where below the package they go; the same from a checkout as from what was copied."""
    for source, target in ((_PACKAGE, ""), (migrate.scripts(), "migrations"), (assets(), "systemd")):
        for file in sorted(source.rglob("*")):
            below = file.relative_to(source)
            if file.is_file() and "__pycache__" not in below.parts and (target or below.parts[0] not in _BESIDE):
                yield file, Path(target) / below


def _python() -> str:
    """The machine's Python of our own release: one in somebody's home is out of the daemon's sight."""
    release = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for found in (Path(f"/usr/bin/{release}"), Path(f"/usr/local/bin/{release}"), Path(sys.executable).resolve()):
        if found.is_file() and found.parts[1] not in _HOMES:
            return str(found)
    raise Refused(f"there is no /usr/bin/{release}: install with the machine's own Python, /usr/bin/python3")
