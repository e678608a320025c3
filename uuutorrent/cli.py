"""The operator's commands: `uuutorrent serve`, `check`, `config show`, `db upgrade`, `backup`, `user …`.

They work on the machine itself, while the daemon runs and when it does not. What a script would keep goes to stdout
(a one-time password alone, say), what is said about it to stderr.
"""

from __future__ import annotations

import asyncio
import inspect
import json as jsons
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter
from cyclopts.help import PlainFormatter
from rich.console import Console

from uuutorrent import backupcommands, configuring, installcommands, logs, usercommands
from uuutorrent.backup.taking import directory
from uuutorrent.config import Config
from uuutorrent.console import Flag, Machine, TheMachine, say
from uuutorrent.errors import Invalid, UuuError
from uuutorrent.ssh.text import printable
from uuutorrent.store import copying, migrate
from uuutorrent.store.database import Database
from uuutorrent.store.private import hand_over, hold_alone

HELP = """A seedbox reached with nothing but ssh: the operator's commands.

--config FILE, before or after any command, names the configuration file."""
INTERRUPTED = 130
"""What shells report for a program ended by Ctrl+C."""


def main() -> None:
    """Run the command that was typed."""
    # A service that is stopped tidies up as after Ctrl+C; the daemon has a handler of its own.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        code = asyncio.run(run(sys.argv[1:]))
    except KeyboardInterrupt:
        code = INTERRUPTED
    sys.exit(code)


async def run(words: Sequence[str]) -> int:
    """Run one command line and return its exit code; what can be told to a person is told in one line each."""
    logs.to_stderr()
    try:
        text = await _call(words)
    except CycloptsError as e:
        return _complain([Invalid(f"{' '.join(str(e).split())} See: uuutorrent --help")])
    except UuuError as e:
        return _complain([e])
    except BaseExceptionGroup as group:
        told, other = group.split(UuuError)
        if told is None or other is not None:
            raise
        return _complain(list(_leaves(told)))
    if text:
        sys.stdout.write(f"{printable(text)}\n")
    return 0


def tree() -> App:
    """All the commands."""
    root = _app("uuutorrent", HELP, version=version("uuutorrent"))
    root.command(serve)
    root.command(check)
    settings = _app("config", "The configuration.")
    settings.command(config_show, name="show")
    root.command(settings)
    database = _app("db", "The database.")
    database.command(db_upgrade, name="upgrade")
    database.command(db_copy, name="copy")
    users = _app("user", "The people who can sign in.")
    keys = _app("key", "The public keys a user signs in with.")
    usercommands.register(users, keys)
    users.command(keys)
    root.command(database)
    backupcommands.register(root)
    installcommands.register(root)
    root.command(users)
    root.command(usercommands.invite)
    return root


async def serve(*, on: TheMachine) -> None:
    """Run the daemon until it is told to stop (Ctrl+C, SIGTERM)."""
    from uuutorrent import daemon  # noqa: PLC0415 - all of the house: the other commands do without a second of it

    await daemon.run(on.config, on.file)


async def check(*, online: Flag = False, on: TheMachine) -> str:
    """Look at the configuration and at what it needs: a line for each thing, with what to do where it will not do.

    Parameters
    ----------
    online
        Also ask AniList and Nyaa whether they can be reached.
    """
    from uuutorrent import check as checks  # noqa: PLC0415 - as above

    findings = [finding async for finding in checks.look(on.config, on.file, online=online)]
    report = "\n".join(f"{'ok  ' if one.error is None else 'FAIL'}  {one.text}" for one in findings)
    wrong = [one.error for one in findings if one.error is not None]
    if wrong:
        sys.stdout.write(f"{printable(report)}\n")
        raise wrong[0]
    return report


async def config_show(*, json: Flag = False, on: TheMachine) -> str:
    """Show every key in force and where its value comes from; secrets stay hidden.

    Parameters
    ----------
    json
        One JSON document: a list of section, key, value and origin.
    """
    found = configuring.explain(on.file)
    if json:
        return jsons.dumps([asdict(one) for one in found])
    lines = []
    for section, keys in groupby(found, key=lambda one: one.section):
        lines += ["", f"[{section}]"]
        lines += [f"{f'{one.key} = {jsons.dumps(one.value)}':<44}  # {one.origin}" for one in keys]
    return "\n".join(lines[1:])


async def db_upgrade(*, on: TheMachine) -> str:
    """Bring the database to the schema of this program, as `serve` does when it starts."""
    async with Database(on.config.database_url, pool_size=2) as database:
        done_already = await migrate.at_head(database)
        await on.upgrade(database)
    return "The database was up to date." if done_already else "The database is up to date now."


async def db_copy(url: Annotated[str, Parameter(allow_leading_hyphen=True)], /, *, on: TheMachine) -> str:
    """Copy everything into another, empty database, for instance from SQLite to PostgreSQL. The daemon must not run.

    Parameters
    ----------
    url
        The other database, as `database.url` would name it; - to read it from the first line of stdin.
    """
    other = sys.stdin.readline().strip() if url == "-" else url
    with hold_alone(on.config.server.data):
        async with Database(on.config.database_url, pool_size=2) as source, Database(other, pool_size=2) as target:
            copied = await copying.copy(source, target)
    return f"{copied} rows are copied. Set database.url to the other database, then start the daemon."


def _app(name: str, about: str, version: str = "") -> App:
    return App(
        name=name,
        help=about,
        version=version,
        version_flags=("--version",) if version else (),
        help_format="plaintext",
        help_formatter=PlainFormatter(),
        result_action="return_value",
    )


async def _call(words: Sequence[str]) -> str:
    rest, file = _configuration_file(words)
    console, errors = Console(file=sys.stdout, highlight=False), Console(file=sys.stderr)
    command, bound, handed = tree().parse_args(
        rest, console=console, error_console=errors, exit_on_error=False, print_error=False
    )
    context = {}
    if handed:
        found = configuring.find(file)
        context = dict.fromkeys(handed, Machine(configuring.load(found), found))
    verb: Callable[..., Any] = command
    try:
        answer = verb(*bound.args, **bound.kwargs, **context)
        return str(await answer or "") if inspect.isawaitable(answer) else ""
    finally:
        for machine in context.values():
            await asyncio.to_thread(_give_back, machine.config)


def _give_back(config: Config) -> None:
    """What the operator made as root is the daemon's."""
    for place in (config.server.data, directory(config)):
        hand_over(place)


def _configuration_file(words: Sequence[str]) -> tuple[list[str], Path | None]:
    """Take `--config FILE` out of the line, wherever it stands."""
    rest = list(words)
    for place, word in enumerate(rest):
        if word.startswith("--config="):
            return rest[:place] + rest[place + 1 :], Path(word.removeprefix("--config="))
        if word == "--config":
            if place + 1 == len(rest):
                raise Invalid("--config needs the name of a file")
            return rest[:place] + rest[place + 2 :], Path(rest[place + 1])
    return rest, None


def _leaves(group: BaseExceptionGroup[UuuError]) -> list[UuuError]:
    leaves: list[UuuError] = []
    for error in group.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves


def _complain(errors: Sequence[UuuError]) -> int:
    for error in errors:
        say(f"uuutorrent: {error.message}")
    return errors[0].exit_code
