"""`uuutorrent user …`: the operator's commands about the people who can sign in."""

from __future__ import annotations

import json as jsons
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from uuutorrent import secondfactors
from uuutorrent.accounts import Key, Operator, UserInfo
from uuutorrent.console import Flag, TheMachine, confirm, handed_over, key_lines, password_for, say
from uuutorrent.invites import Invites
from uuutorrent.signup import JOIN
from uuutorrent.ssh.text import instant, table

KeyFile = Annotated[Path | None, Parameter(allow_leading_hyphen=True)]
"""A file, or - for stdin."""


def register(users: App, keys: App) -> None:
    """Put the commands into their places of the tree."""
    for name, command in _USERS.items():
        users.command(command, name=name)
    for name, command in _KEYS.items():
        keys.command(command, name=name)


async def user_add(
    name: str,
    /,
    *,
    admin: Flag = False,
    password_stdin: Flag = False,
    key: Path | None = None,
    generate: Flag = False,
    on: TheMachine,
) -> str:
    """Make a user.

    Without an option it asks for the password; without a terminal to ask on it makes one.

    Parameters
    ----------
    name
        1 to 32 of a-z, 0-9, - and _, beginning with a letter.
    admin
        Make an admin.
    password_stdin
        Read the password from the first line of stdin.
    key
        A .pub file (or authorized_keys file) whose keys sign the user in.
    generate
        Make a one-time password and print it.
    """
    keys = key_lines(key) if key else ()
    password, expired = password_for(stdin=password_stdin, generate=generate, optional=bool(keys))
    async with on.accounts() as accounts:
        role = "admin" if admin else "user"
        await accounts.create(Operator(), name, role=role, password=password, expired=expired, keys=keys)
    say(f"{name} can sign in: {on.config.ssh.reach(name)}")
    return handed_over(password if expired else None)


async def user_list(*, json: Flag = False, on: TheMachine) -> str:
    """Everybody: role, how they sign in, when they were last here.

    Parameters
    ----------
    json
        One JSON document instead of a table.
    """
    async with on.accounts() as accounts:
        users = await accounts.users(Operator())
    if json:
        return jsons.dumps([_document(one) for one in users], ensure_ascii=False)
    headings = ("NAME", "ROLE", "SIGNS IN BY", "KEYS", "LAST SEEN", "")
    return table(headings, [_row(one) for one in users], empty="There are no users: uuutorrent user add NAME --admin")


async def user_passwd(name: str, /, *, password_stdin: Flag = False, generate: Flag = False, on: TheMachine) -> str:
    """Give a user another password.

    Without an option it asks for it; without a terminal to ask on it makes one.

    Parameters
    ----------
    password_stdin
        Read the password from the first line of stdin.
    generate
        Make a one-time password and print it.
    """
    async with on.accounts() as accounts:
        await accounts.by_name(name)
        password, expired = password_for(stdin=password_stdin, generate=generate, optional=False)
        await accounts.give_password(Operator(), name, password or "", expired=expired)
    say(f"{name} has another password")
    return handed_over(password if expired else None)


async def user_role(name: str, role: Literal["user", "admin"], /, *, on: TheMachine) -> str:
    """Make somebody an admin, or a user again."""
    async with on.accounts() as accounts:
        await accounts.set_role(Operator(), name, role)
    return f"{name} is now: {role}"


async def user_disable(name: str, /, *, on: TheMachine) -> str:
    """Keep somebody from signing in; nothing of theirs is lost."""
    async with on.accounts() as accounts:
        await accounts.disable(Operator(), name)
    return f"{name} cannot sign in any more; their torrents stay. Undo: uuutorrent user enable {name}"


async def user_unfactor(name: str, /, *, on: TheMachine) -> str:
    """Switch off the second factor of somebody who lost it."""
    async with on.people() as (database, accounts):
        await secondfactors.reset(database, accounts, Operator(), name)
    return f"{name} signs in without a code from now on."


async def user_enable(name: str, /, *, on: TheMachine) -> str:
    """Let somebody sign in again."""
    async with on.accounts() as accounts:
        await accounts.enable(Operator(), name)
    return f"{name} can sign in again."


async def user_delete(name: str, /, *, yes: Flag = False, on: TheMachine) -> str:
    """Delete somebody; on a terminal it asks first.

    Keys, AniList link, watchlist and claims go too, and torrents nobody else has a claim on.

    Parameters
    ----------
    yes
        Do not ask.
    """
    async with on.accounts() as accounts:
        await accounts.by_name(name)
        if not yes and sys.stdin.isatty():
            confirm(f"Delete {name} with keys, AniList link, watchlist and claims? There is no way back.", name)
        await accounts.delete(Operator(), name)
    return (
        f"{name} is deleted, with keys, AniList link, watchlist and claims. The daemon removes the torrents\n"
        "that nobody else has a claim on, with their files: within a minute, or when it starts."
    )


async def key_add(name: str, file: KeyFile = None, /, *, on: TheMachine) -> str:
    """Add public keys to a user.

    Parameters
    ----------
    file
        A .pub file (or authorized_keys file); without it, or with -, the keys are read from stdin.
    """
    lines = key_lines(file)
    async with on.accounts() as accounts:
        user = await accounts.by_name(name)
        added = [await accounts.add_key(user, line, by=Operator()) for line in lines]
    return "\n".join(f"{name} signs in with {key.fingerprint} {key.comment}".rstrip() for key in added)


async def key_list(name: str, /, *, json: Flag = False, on: TheMachine) -> str:
    """The keys of a user.

    Parameters
    ----------
    json
        One JSON document instead of a table.
    """
    async with on.accounts() as accounts:
        keys = await accounts.keys(await accounts.by_name(name))
    if json:
        return jsons.dumps([_key_document(key) for key in keys], ensure_ascii=False)
    rows = [
        (str(key.id), key.fingerprint, instant(key.added_at) or "", instant(key.last_used_at) or "never", key.comment)
        for key in keys
    ]
    return table(("ID", "FINGERPRINT", "ADDED", "LAST USED", "COMMENT"), rows, empty=f"{name} has no keys.")


async def key_remove(name: str, key: str, /, *, on: TheMachine) -> str:
    """Remove a key, named by its id or fingerprint as `user key list` shows them."""
    async with on.accounts() as accounts:
        removed = await accounts.remove_key(await accounts.by_name(name), key, by=Operator())
    return f"{removed.fingerprint} does not sign {name} in any more."


async def invite(*, admin: Flag = False, uses: int = 1, days: int = 7, note: str = "", on: TheMachine) -> str:
    """Make an invitation, and print its code; admins list and revoke them with `invites`.

    Parameters
    ----------
    admin
        Who comes with it is an admin.
    uses
        How many people can come with it.
    days
        How long it is valid.
    note
        Whom it is for.
    """
    async with on.people() as (database, accounts):
        role = "admin" if admin else "user"
        _, code = await Invites(database).create(Operator(), role=role, uses=uses, days=days, note=note)
        if accounts.config.signup == "closed":
            say('nobody can sign up here: signup = "closed" is configured')
    say(f"They type: {on.config.ssh.reach(JOIN)}\nThe code of the invitation, shown only now:")
    return code


_USERS: dict[str, Callable[..., Any]] = {
    "add": user_add,
    "list": user_list,
    "passwd": user_passwd,
    "role": user_role,
    "unfactor": user_unfactor,
    "disable": user_disable,
    "enable": user_enable,
    "delete": user_delete,
}
_KEYS: dict[str, Callable[..., Any]] = {"add": key_add, "list": key_list, "remove": key_remove}


def _row(one: UserInfo) -> tuple[str, ...]:
    password = ("one-time password" if one.user.password_expired else "password") if one.has_password else ""
    ways = " and ".join(way for way in (password, "key" if one.keys else "") if way) or "nothing"
    seen = instant(one.last_seen_at) or "never"
    return one.user.name, one.user.role, ways, str(one.keys), seen, _state(one)


def _state(one: UserInfo) -> str:
    return "disabled" if one.disabled_at else "waits for a yes" if one.awaits_approval else ""


def _document(one: UserInfo) -> dict[str, Any]:
    return {
        "name": one.user.name,
        "role": one.user.role,
        "disabled": one.disabled_at is not None,
        "waits": one.awaits_approval,
        "password": one.has_password,
        "password_expired": one.user.password_expired,
        "keys": one.keys,
        "created_at": instant(one.created_at),
        "last_seen_at": instant(one.last_seen_at),
    }


def _key_document(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "fingerprint": key.fingerprint,
        "comment": key.comment,
        "added_at": instant(key.added_at),
        "last_used_at": instant(key.last_used_at),
    }
