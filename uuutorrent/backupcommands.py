"""`uuutorrent backup`, `backups`, `restore` and `drill`: the operator's commands about what must not be lost."""

from __future__ import annotations

import json as jsons
from datetime import UTC, datetime

from cyclopts import App

from uuutorrent.backup.restoring import drill as practise
from uuutorrent.backup.restoring import restore as put_back
from uuutorrent.backup.taking import Place, Taking
from uuutorrent.console import Flag, Machine, TheMachine, confirm, say
from uuutorrent.errors import Invalid, Unexpected
from uuutorrent.releases.liking import sized
from uuutorrent.ssh.text import instant, table
from uuutorrent.tally import Tally


def register(root: App) -> None:
    """Put the commands into the tree."""
    for command in (backup, backups, restore, drill):
        root.command(command)


async def backup(*, on: TheMachine) -> str:
    """Take a backup now."""
    _, taking = _at(on)
    taken = await taking.take()
    return f"{taking.folder(taken)}: {sized(taken.bytes)} in {taken.seconds:.1f} s."


async def backups(*, json: Flag = False, on: TheMachine) -> str:
    """List the backups, newest first.

    Parameters
    ----------
    json
        One JSON document.
    """
    every = _at(on)[1].every()
    if json:
        return jsons.dumps(
            [
                {"backup": one.name, "at": one.at.isoformat(), "bytes": one.bytes, "seconds": one.seconds}
                for one in every
            ]
        )
    rows = [(one.name, instant(one.at) or "", sized(one.bytes), f"{sum(one.rows.values())} rows") for one in every]
    return table(("BACKUP", "AT", "SIZE", "HOLDS"), rows, empty="There are no backups.")


async def restore(name: str = "", /, *, to: str = "", yes: Flag = False, on: TheMachine) -> str:
    """Put a backup back. The daemon must not run; what is there now is moved aside, not deleted.

    Parameters
    ----------
    name
        Which backup, as `backups` lists them; the newest if none is named.
    to
        The newest backup that is not after this time, e.g. 2026-11-21T18:00 (UTC).
    yes
        Do not ask.
    """
    place, taking = _at(on)
    chosen = taking.find(name=name, until=_time(to) if to else None)
    if not yes:
        confirm(f"Put back {chosen.name} and move aside what is in {place.data} now?", chosen.name)
    done = await put_back(place, taking, chosen)
    say(f"What was there before is in {done.aside}.")
    return f"{chosen.name} is put back, in {done.seconds:.1f} s: all that came after it is lost. Start the daemon."


async def drill(*, json: Flag = False, on: TheMachine) -> str:
    """Restore the newest backup into a scratch place, and see whether a daemon could live on it.

    Parameters
    ----------
    json
        One JSON document.
    """
    place, taking = _at(on)
    done = await practise(place, taking, taking.find())
    if not done.ok:
        raise Unexpected("the backup", done.why)
    if json:
        return jsons.dumps({"backup": done.backup, "seconds": done.seconds, "rows": done.rows, "secrets": done.secrets})
    return f"{done.backup} can be restored: {done.rows} rows, {done.secrets} secrets opened, {done.seconds:.1f} s."


def _at(on: Machine) -> tuple[Place, Taking]:
    place = Place.of(on.config, on.file)
    return place, Taking(place, Tally())


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as e:
        raise Invalid(f"{text} is not a time, such as 2026-11-21T18:00", field="to") from e
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
