"""Verbs for admins: sources that failed to sign in too often."""

from __future__ import annotations

from uuutorrent.penalties import Penalty
from uuutorrent.ssh.call import Reply, TheCall, Verb


async def penalties_list(*, call: TheCall) -> Reply:
    """Sources with a penalty for sign-ins that failed, and for how long."""
    every = call.desk.penalties.every(await call.admin())
    rows = [(_refused(one), f"{one.left_s:.0f} s", one.source) for one in every]
    documents = [
        {"source": one.source, "left_s": round(one.left_s, 1), "refused": one.is_refused, "known": one.is_known}
        for one in every
    ]
    return Reply(documents, call.table(("", "LEFT", "SOURCE"), rows, empty="Nobody."))


async def penalties_lift(source: str, /, *, call: TheCall) -> Reply:
    """Let a source try again now.

    Parameters
    ----------
    source
        As `penalties list` shows it, or an address in it.
    """
    lifted = await call.desk.lift(await call.admin(), source)
    return Reply({"source": lifted, "lifted": True}, f"{lifted} may sign in again.")


def _refused(one: Penalty) -> str:
    if not one.is_refused:
        return ""
    return "passwords refused" if one.is_known else "refused"


VERBS = (
    Verb("penalties list", penalties_list),
    Verb("penalties lift SOURCE", penalties_lift),
)
