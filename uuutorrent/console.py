"""The operator's terminal: what a command is given to work on, what it asks and what it says beside its answer."""

from __future__ import annotations

import getpass
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from uuutorrent import config as settings
from uuutorrent.accounts import Accounts
from uuutorrent.backup.beforehand import back_up_before_change
from uuutorrent.errors import Invalid, Missing
from uuutorrent.passwords import one_time
from uuutorrent.ssh.text import printable
from uuutorrent.store import migrate
from uuutorrent.store.database import Database


@dataclass(frozen=True, slots=True)
class Machine:
    """What the commands work on: the configuration in force, and the file it came from."""

    config: settings.Config
    file: Path | None

    @asynccontextmanager
    async def accounts(self) -> AsyncGenerator[Accounts]:
        """The accounts, as in `people`."""
        async with self.people() as (_, accounts):
            yield accounts

    @asynccontextmanager
    async def people(self) -> AsyncGenerator[tuple[Database, Accounts]]:
        """The database, brought to this program's schema first, and the accounts in it."""
        async with Database(self.config.database_url, pool_size=2) as database:
            await self.upgrade(database)
            yield database, Accounts(database, self.config.accounts)

    async def upgrade(self, database: Database) -> None:
        """Bring the database to this program's schema; where that changes it, a backup is taken first."""
        await back_up_before_change(self.config, self.file, database)
        await migrate.upgrade(database)


TheMachine = Annotated[Machine, Parameter(parse=False)]
"""Marks a command's parameter as handed in, not typed."""
Flag = Annotated[bool, Parameter(negative="")]


def say(notice: str) -> None:
    """Say something beside the answer, on stderr."""
    sys.stderr.write(f"{printable(notice)}\n")


def password_for(*, stdin: bool, generate: bool, optional: bool) -> tuple[str | None, bool]:
    """The password that was given, asked for or made, and whether it must be changed at the next sign-in.

    None where it is `optional`, because there is a key, and none was given.

    Raises:
        Invalid: no password came of it.
    """
    if stdin and generate:
        raise Invalid("give either --password-stdin or --generate")
    if stdin:
        return _first_line(), False
    if generate or (not optional and not sys.stdin.isatty()):
        return one_time(), True
    if optional:
        return None, False
    password = _ask("Password: ")
    if _ask("Again: ") != password:
        raise Invalid("the two passwords differ: nothing was changed")
    return password, False


def _first_line() -> str:
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError as e:
        raise Invalid("stdin is not UTF-8 text") from e


def _ask(prompt: str) -> str:
    # asyncio turns Ctrl+C into a cancellation, which would wait until the line is finished.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return getpass.getpass(prompt)
    except EOFError as e:
        raise Invalid("no password was given: nothing was changed") from e
    finally:
        signal.signal(signal.SIGINT, before)


def confirm(question: str, name: str) -> None:
    """Go on only when the name was typed.

    Raises:
        Invalid: something else was.
    """
    say(f"{question} Type the name to go on:")
    if _first_line() != name:
        raise Invalid("that is another name: nothing was changed")


def handed_over(password: str | None) -> str:
    """The answer of a command that may have made a one-time password: the password alone, explained beside it."""
    if password is None:
        return ""
    say("one-time password, shown only now; they choose their own at the first sign-in:")
    return password


def key_lines(file: Path | None) -> tuple[str, ...]:
    """The keys of a file (None or -: of stdin), without blank lines and comments.

    A private key is left whole, to be refused as one.

    Raises:
        Missing: the file cannot be read.
        Invalid: it holds no keys.
    """
    try:
        text = sys.stdin.read() if file is None or str(file) == "-" else file.read_text()
    except OSError as e:
        raise Missing(f"{file}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise Invalid(f"{file or 'stdin'} is not a file of public keys") from e
    if "PRIVATE KEY" in text:
        return (text,)
    lines = tuple(line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    if not lines:
        raise Invalid(f"{file or 'stdin'} holds no public key")
    return lines
