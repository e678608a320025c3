"""Verbs for admins: invitations, with which people make an account by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from uuutorrent.invites import MOST_DAYS, MOST_USES, Invite
from uuutorrent.signup import JOIN
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.tui.figures import count, size

Uses = Annotated[int, Parameter(validator=Number(gte=1, lte=MOST_USES), metavar="N")]
Days = Annotated[int, Parameter(validator=Number(gte=1, lte=MOST_DAYS), metavar="N")]
Id = Annotated[int, Parameter(validator=Number(gte=1, lte=2**31 - 1))]


async def invites_list(*, call: TheCall) -> Reply:
    """Invitations that are open or were lately, without their codes."""
    every = await call.desk.invites.list(await call.admin())
    now = datetime.now(UTC)
    rows = [
        (str(one.id), one.role, str(one.uses_left), instant(one.expires_at) or "", _state(one, now), one.note)
        for one in every
    ]
    headings = ("ID", "ROLE", "USES LEFT", "UNTIL", "", "NOTE")
    return Reply([_document(one, now) for one in every], call.table(headings, rows, empty="None."))


async def invites_create(
    *,
    admin: typed.Flag = False,
    uses: Uses = 1,
    days: Days = 7,
    bytes: typed.Size = None,
    note: str = "",
    call: TheCall,
) -> Reply:
    """Make an invitation, and print its code: it is shown only now.

    Parameters
    ----------
    admin
        Who comes with it is an admin. It ends when you are one no more.
    uses
        How many people can come with it.
    days
        How long it is valid.
    bytes
        How much each of them may claim, e.g. 200G; 0: no limit; without it as configured.
    note
        Whom it is for; only admins see it.
    """
    by = await call.admin()
    quota = None if bytes is None else typed.size(bytes, field="bytes")
    role = "admin" if admin else "user"
    made, code = await call.desk.invites.create(by, role=role, quota_bytes=quota, uses=uses, days=days, note=note)
    reach = call.desk.config.ssh.reach(JOIN)
    if call.desk.signups.mode == "closed":
        call.notice('nobody can sign up here: signup = "closed" is configured')
    text = f"They type: {reach}\ncode, shown only now: {code}\nfor {count(uses, _who(admin))}, until {_until(made)}"
    document = {**_document(made, made.made_at), "code": code, "reach": reach}
    return Reply(document, text + ("" if quota is None else f", with {size(quota) if quota else 'any size'} each"))


async def invites_revoke(invite: Id, /, *, call: TheCall) -> Reply:
    """Nobody comes with it any more; who came stays.

    Parameters
    ----------
    invite
        Its id, as `invites list` shows it.
    """
    await call.desk.invites.revoke(await call.admin(), invite)
    return Reply({"invite": invite, "revoked": True}, f"Nobody comes with invitation {invite} any more.")


VERBS = (
    Verb("invites list", invites_list),
    Verb("invites create [--admin] [--uses N] [--days N] [--bytes SIZE] [--note TEXT]", invites_create),
    Verb("invites revoke INVITE", invites_revoke),
)


def _who(admin: bool) -> str:
    return "admin" if admin else "user"


def _until(one: Invite) -> str:
    return instant(one.expires_at) or ""


def _state(one: Invite, now: datetime) -> str:
    if one.is_open(now):
        return ""
    return "used up" if not one.uses_left else "void" if one.is_void else "over"


def _document(one: Invite, now: datetime) -> Mapping[str, Any]:
    return {
        "invite": one.id,
        "role": one.role,
        "uses_left": one.uses_left,
        "open": one.is_open(now),
        "quota_bytes": one.quota_bytes,
        "note": one.note,
        "made_at": instant(one.made_at),
        "expires_at": instant(one.expires_at),
    }
