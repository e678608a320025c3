"""Verbs for admins: users. Each proves the role anew before it does anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uuutorrent.accounts import UserInfo
from uuutorrent.limits import Settled
from uuutorrent.passwords import one_time
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.ssh.verbs.limits import shown, users_quota
from uuutorrent.torrents.usage import Claimed, claimed
from uuutorrent.tui.figures import size


async def users_list(*, call: TheCall) -> Reply:
    """Everybody, with role, last sign-in, and what they claim."""
    people = await call.desk.accounts.users(await call.admin())
    ids = [one.user.id for one in people]
    settled, served = await call.desk.limits.settled(ids), await call.desk.limits.served_to(ids)
    has = claimed(await call.desk.library.everything())
    used = {user_id: has.get(user_id, Claimed()) for user_id in ids}
    rows = [
        (
            one.user.role,
            instant(one.last_seen_at) or "never",
            size(used[one.user.id].bytes),
            _state(one),
            one.user.name,
        )
        for one in people
    ]
    text = call.table(("ROLE", "LAST SEEN", "DISK", "", "NAME"), rows, empty="Nobody.")
    return Reply(
        [_info(one, settled[one.user.id], served[one.user.id], used[one.user.id]) for one in people],
        text,
    )


async def users_add(name: str, /, *, admin: typed.Flag = False, call: TheCall) -> Reply:
    """Make a user, and print a one-time password for them.

    Parameters
    ----------
    name
        1 to 32 of a-z, 0-9, - and _, beginning with a letter.
    admin
        Make an admin.
    """
    by, password = await call.admin(), one_time()
    role = "admin" if admin else "user"
    made = await call.desk.accounts.create(by, name, role=role, password=password, expired=True)
    return _handed_over(call, made.name, password)


async def users_passwd(name: str, /, *, call: TheCall) -> Reply:
    """Give a user a new one-time password."""
    return _handed_over(call, name, await call.desk.accounts.reset_password(await call.admin(), name))


async def users_role(name: str, role: str, /, *, call: TheCall) -> Reply:
    """Make somebody an admin, or a user again.

    Parameters
    ----------
    role
        user or admin.
    """
    await call.desk.accounts.set_role(await call.admin(), name, role)
    return Reply({"name": name, "role": role}, f"{name} is now: {role}")


async def users_disable(name: str, /, *, call: TheCall) -> Reply:
    """Keep somebody from signing in, and end their sessions; nothing of theirs is lost."""
    await call.desk.disable(await call.admin(), name)
    return Reply({"name": name, "disabled": True}, f"{name} cannot sign in any more; their torrents stay.")


async def users_enable(name: str, /, *, call: TheCall) -> Reply:
    """Let somebody sign in again."""
    await call.desk.accounts.enable(await call.admin(), name)
    return Reply({"name": name, "disabled": False}, f"{name} can sign in again.")


async def users_approve(name: str, /, *, call: TheCall) -> Reply:
    """Let somebody in who signed up and waits for a yes."""
    await call.desk.signups.approve(await call.admin(), name)
    return Reply({"name": name, "waits": False}, f"{name} can sign in from now on.")


async def users_reject(name: str, /, *, call: TheCall) -> Reply:
    """Delete the account of somebody who signed up and waits for a yes."""
    await call.desk.signups.reject(await call.admin(), name)
    return Reply({"name": name, "deleted": True}, f"{name} is gone.")


async def users_unfactor(name: str, /, *, call: TheCall) -> Reply:
    """Switch off the second factor of somebody who lost it."""
    await call.desk.second_factors.reset(await call.admin(), name)
    return Reply({"name": name, "factor": False}, f"{name} signs in without a code from now on.")


async def users_delete(name: str, /, *, call: TheCall) -> Reply:
    """Delete somebody: their sessions end, their claims go, and with them what nobody else claims."""
    await call.desk.delete(await call.admin(), name)
    return Reply({"name": name, "deleted": True}, f"{name} is gone, and what only they claimed goes within a minute.")


VERBS = (
    Verb("users list", users_list),
    Verb("users add NAME [--admin]", users_add),
    Verb("users passwd NAME", users_passwd),
    Verb("users role NAME user|admin", users_role),
    Verb("users quota NAME [--size SIZE] [--torrents N] [--active N] [--month SIZE] [--rate SIZE]", users_quota),
    Verb("users approve NAME", users_approve),
    Verb("users reject NAME", users_reject),
    Verb("users unfactor NAME", users_unfactor),
    Verb("users disable NAME", users_disable),
    Verb("users enable NAME", users_enable),
    Verb("users delete NAME", users_delete),
)


def _handed_over(call: Call, name: str, password: str) -> Reply:
    reach = call.desk.config.ssh.reach(name)
    text = f"{name} signs in with: {reach}\none-time password, shown only now: {password}"
    return Reply({"name": name, "one_time_password": password}, text)


def _state(one: UserInfo) -> str:
    return "disabled" if one.disabled_at else "waits for a yes" if one.awaits_approval else ""


def _info(one: UserInfo, settled: Settled, served_bytes: int, used: Claimed) -> Mapping[str, Any]:
    return {
        "name": one.user.name,
        "role": one.user.role,
        "disabled": one.disabled_at is not None,
        "waits": one.awaits_approval,
        "password": one.has_password,
        "password_expired": one.user.password_expired,
        "keys": one.keys,
        **shown(settled),
        "torrents": used.torrents,
        "bytes": used.bytes,
        "served_bytes": served_bytes,
        "created_at": instant(one.created_at),
        "last_seen_at": instant(one.last_seen_at),
    }
