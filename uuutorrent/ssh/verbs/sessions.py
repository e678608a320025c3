"""Verbs about where one is signed in: sessions; and about leaving for good: account."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from uuutorrent.errors import Invalid
from uuutorrent.keys import Key
from uuutorrent.presence import Here
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.torrents.leaving import Leaving, leaving
from uuutorrent.tui.figures import count, size
from uuutorrent.tui.plain import plain
from uuutorrent.users import Admin

OTHERS = "others"
LONGEST_PASSWORD = 200
MOST_NAMES = 10
"""Names that are listed; the rest is counted."""


async def sessions(*, all: typed.Flag = False, call: TheCall) -> Reply:
    """Where you are signed in now: since when, from where, how, and what is open there.

    Parameters
    ----------
    all
        Everybody's; only for admins.
    """
    desk = call.desk
    if all:
        return _everybodys(call, await call.admin())
    keys = await desk.accounts.keys(desk.user)
    every = [_session(here, keys, this=here is desk.here) for here in desk.presence.of(desk.user)]
    rows = [
        (
            str(one["id"]),
            str(one["since"]),
            plain(one["ip"]),
            ", ".join(one["open"]) or "-",
            size(one["sent_bytes"]),
            plain(f"{one['key'] or one['method']}{' (this one)' if one['this'] else ''}"),
        )
        for one in every
    ]
    return Reply(every, call.table(("ID", "SINCE", "FROM", "OPEN", "SENT", "SIGNED IN BY"), rows, empty="None."))


async def sessions_end(which: str, /, *, call: TheCall) -> Reply:
    """End a session of yours, with everything open in it. Admins end anybody's.

    Parameters
    ----------
    which
        Its id, as `sessions` shows it; or others: all of yours but the one you are in.
    """
    desk = call.desk
    if which == OTHERS:
        ended = desk.presence.end_others(desk.here)
        return Reply({"ended": ended}, f"Ended {count(ended, 'other session')}.")
    number = _number(which, f"name a session by its id, or say {OTHERS}")
    if not desk.user.is_admin or any(here.id == number for here in desk.presence.of(desk.user)):
        desk.presence.end(desk.here, number)
        return Reply({"ended": 1}, f"Ended session {number}.")
    theirs = await desk.end_session(await call.admin(), number)
    return Reply({"ended": 1}, f"Ended session {number} of {theirs.user.name}.")


async def sessions_message(*words: str, all: typed.Flag = False, call: TheCall) -> Reply:
    """Say something on the screen of a session, or with --all of everybody's; only for admins.

    Parameters
    ----------
    words
        Its id, as `sessions --all` shows it, and then the text; with --all only the text.
    all
        To everybody who sits at a screen.
    """
    by = await call.admin()
    which = None if all else _number(words[0] if words else "")
    told = await call.desk.message(by, " ".join(words if all else words[1:]), which)
    names = sorted({here.user.name for here in told})
    document = {"told": [{"id": here.id, "name": here.user.name} for here in told]}
    return Reply(document, f"It stands on {count(len(told), 'screen')} now: {', '.join(names)}.")


async def account(*, call: TheCall) -> Reply:
    """What would become of your torrents if you deleted your account."""
    what = await leaving(call.desk.library, call.desk.user)
    text = f"{_lost(what)}\nTo delete your account: {call.io.prefix} account delete {call.desk.user.name}"
    return Reply(_left(what), text)


async def account_delete(name: str, /, *, call: TheCall) -> Reply:
    """Delete your account, with all that is yours alone. `account` says what that is.

    Reads your password from stdin, if you have one. With a second factor no password is asked for, but `code` must have
    been used within 15 minutes.

    Parameters
    ----------
    name
        Your own name, so that nobody does it by mistake.
    """
    desk = call.desk
    if name != desk.user.name:
        raise Invalid(f"type your own name, {desk.user.name}, to delete your account", field="name")
    what = await leaving(desk.library, desk.user)
    password = ""
    if await desk.accounts.leaving_takes(desk.user) == "password":
        hint = "type your password and Enter, then Ctrl+D"
        password = (await call.read_text(LONGEST_PASSWORD, hint)).rstrip("\r\n")
    await desk.leave(password, desk.second_factors.of_commands(desk.here))
    return Reply({"deleted": True, **_left(what)}, "Your account is deleted. What only you had goes within a minute.")


VERBS = (
    Verb("sessions [--all]", sessions),
    Verb("sessions end ID|others", sessions_end),
    Verb("sessions message ID TEXT… | --all TEXT…", sessions_message),
    Verb("account", account),
    Verb("account delete NAME < PASSWORD", account_delete),
)


def _number(which: str, else_: str = "name a session by its id") -> int:
    if not (which.isascii() and which.isdigit() and len(which) < 10):
        raise Invalid(else_, field="which")
    return int(which)


def _everybodys(call: Call, by: Admin) -> Reply:
    desk = call.desk
    every = [{"name": here.user.name, **_session(here, (), this=here is desk.here)} for here in desk.presence.every(by)]
    rows = [
        (str(one["id"]), str(one["since"]), plain(one["ip"]), ", ".join(one["open"]) or "-", size(one["sent_bytes"]),
         one["method"], f"{one['name']}{' (this one)' if one['this'] else ''}")
        for one in every
    ]  # fmt: skip
    return Reply(every, call.table(("ID", "SINCE", "FROM", "OPEN", "SENT", "BY", "NAME"), rows, empty="None."))


def _session(here: Here, keys: Collection[Key], *, this: bool) -> Mapping[str, Any]:
    activity = here.activity()
    comment = next((key.comment for key in keys if key.fingerprint == here.fingerprint), None)
    return {
        "id": here.id,
        "since": instant(here.since),
        "ip": here.ip,
        "method": here.method,
        "key": comment or here.fingerprint,
        "open": list(activity.doors),
        "sent_bytes": activity.sent,
        "received_bytes": activity.received,
        "this": this,
    }


def _left(what: Leaving) -> Mapping[str, Any]:
    return {
        "torrents": what.torrents,
        "going": list(what.going),
        "going_bytes": what.going_bytes,
        "staying": list(what.staying),
    }


def _lost(what: Leaving) -> str:
    lines = [f"Your account has {count(what.torrents, 'torrent')}."]
    if what.going:
        lines += [f"Deleted with their files, {size(what.going_bytes)}:", *_names(what.going)]
    if what.staying:
        lines += ["Others have these too, so they stay for them:", *_names(what.staying)]
    return "\n".join([*lines, "Your keys, watchlist, feeds, inbox and settings go as well."])


def _names(names: tuple[str, ...]) -> list[str]:
    more = [f"  and {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return [f"  {plain(name)}" for name in names[:MOST_NAMES]] + more
