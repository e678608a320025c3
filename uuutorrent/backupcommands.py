"""`uuutorrent backup`, `backups`, `restore` and `drill`: the operator's commands about what must not be lost."""

from __future__ import annotations

import json as jsons
from datetime import UTC, datetime
from functools import partial

from cyclopts import App

from uuutorrent.backup.pgbackrest import PgBackRest
from uuutorrent.backup.practising import drill as practise
from uuutorrent.backup.restoring import restore as put_back
from uuutorrent.backup.taking import Place, Taking
from uuutorrent.console import Flag, Machine, TheMachine, confirm, say
from uuutorrent.errors import Invalid, Unexpected
from uuutorrent.ssh.text import instant, table
from uuutorrent.tally import Tally
from uuutorrent.tui.figures import size


def register(root: App) -> None:
    """Put the commands into the tree."""
    for command in (backup, backups, restore, drill):
        root.command(command)


async def backup(*, on: TheMachine) -> str:
    """Take a backup now, of PostgreSQL too where `backup.stanza` is set."""
    taking, cluster, told = _at(on)[1], _cluster(on), ""
    if cluster is not None:  # first: it is taken nightly, also while the files' second place is away
        one = await cluster.take()
        told = f"pgBackRest's {one.label}: {size(one.bytes)} in {(one.ended_at - one.began_at).seconds} s.\n"
    taken = await taking.take()
    return f"{told}{taking.folder(taken)}: {size(taken.bytes)} in {taken.seconds:.1f} s."


async def backups(*, json: Flag = False, on: TheMachine) -> str:
    """List the backups, newest first.

    Parameters
    ----------
    json
        One JSON document.
    """
    every, cluster = _at(on)[1].every(), _cluster(on)
    told = [(one.name, "files", one.at, one.bytes, one.seconds) for one in every]
    for other in await cluster.every() if cluster else ():
        seconds = (other.ended_at - other.began_at).total_seconds()
        told.append((other.label, other.kind, other.ended_at, other.bytes, seconds))
    told.sort(key=lambda one: one[2], reverse=True)
    if json:
        names = ("backup", "kind", "at", "bytes", "seconds")
        return jsons.dumps([dict(zip(names, (*one[:2], instant(one[2]), *one[3:]), strict=True)) for one in told])
    rows = [
        (name, kind, instant(at) or "", size(bytes_), f"{seconds:.1f} s") for name, kind, at, bytes_, seconds in told
    ]
    return table(("BACKUP", "KIND", "AT", "SIZE", "TOOK"), rows, empty="There are no backups.")


async def restore(name: str = "", /, *, to: str = "", yes: Flag = False, on: TheMachine) -> str:
    """Put a backup back. The daemon must not run; what is there now is moved aside, not deleted.

    PostgreSQL must not run either, where `backup.stanza` is set: it is put back by pgBackRest, in place, up to TIME, as
    it is in the backup of it that is named, or else as far as its log reaches.

    Parameters
    ----------
    name
        Which backup, as `backups` lists them; the newest if none is named. With one of PostgreSQL come the files of
        that time.
    to
        The newest backup that is not after this time, e.g. 2026-11-21T18:00 (UTC).
    yes
        Do not ask.
    """
    place, taking = _at(on)
    until, cluster = _time(to) if to else None, _cluster(on)
    named = await cluster.find(name) if cluster and name else None
    chosen = taking.find(until=named.ended_at) if named else taking.find(name=name, until=until)
    if not yes:
        confirm(f"Put back {chosen.name} and move aside what is in {place.data} now?", chosen.name)
    done = await put_back(place, taking, chosen, first=partial(cluster.restore, named or until) if cluster else None)
    if done.aside.is_dir():
        say(f"What was there before is in {done.aside}.")
    if cluster is not None:
        with_it = f"PostgreSQL's {named.label}" if named else "PostgreSQL"
        return f"{chosen.name} and {with_it} are put back. Start PostgreSQL, then the daemon."
    return f"{chosen.name} is put back, in {done.seconds:.1f} s: all that came after it is lost. Start the daemon."


async def drill(*, json: Flag = False, on: TheMachine) -> str:
    """Restore the newest backup into a scratch place, and see whether a daemon could live on it.

    Parameters
    ----------
    json
        One JSON document.
    """
    place, taking = _at(on)
    done = await practise(place, taking, _cluster(on))
    if not done.ok:
        raise Unexpected("the backup", done.why)
    if json:
        return jsons.dumps({"backup": done.backup, "seconds": done.seconds, "rows": done.rows, "secrets": done.secrets})
    return f"{done.backup} can be restored: {done.rows} rows, {done.secrets} secrets opened, {done.seconds:.1f} s."


def _at(on: Machine) -> tuple[Place, Taking]:
    place = Place.of(on.config, on.file)
    return place, Taking(place, Tally())


def _cluster(on: Machine) -> PgBackRest | None:
    return PgBackRest(on.config) if on.config.backup.stanza else None


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as e:
        raise Invalid(f"{text} is not a time, such as 2026-11-21T18:00", field="to") from e
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
