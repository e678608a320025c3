"""The verb with which admins say what each user may, and how limits are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from cyclopts import Parameter

from uuutorrent.errors import Invalid
from uuutorrent.limits import Settled, Which
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Reply, TheCall
from uuutorrent.tui.amounts import LARGEST
from uuutorrent.tui.figures import count, rate, size

AS_CONFIGURED = "default"
MOST = 2**31 - 1
"""Of what is counted, and not weighed."""
Disk = Annotated[str | None, Parameter(name=("--size", "--bytes"), metavar="SIZE")]
Number = Annotated[str | None, Parameter(metavar="N")]


async def users_quota(
    name: str,
    /,
    *,
    disk: Disk = None,
    torrents: Number = None,
    active: Number = None,
    month: typed.Size = None,
    rate: typed.Size = None,
    call: TheCall,
) -> Reply:
    """Say what a user may; what is not named stays. 0: no limit; default: as configured for everybody.

    Parameters
    ----------
    disk
        Disk that all their torrents together may take, e.g. 200G.
    torrents
        How many torrents they may have.
    active
        How many of their downloads run at the same time; the others wait.
    month
        How much they may read over SFTP and with cat in a month, e.g. 500G.
    rate
        How fast they may read, in bytes a second, e.g. 20M.
    """
    by = await call.admin()
    given: Mapping[Which, str | None] = {
        "bytes": disk, "torrents": torrents, "active": active, "month_bytes": month, "bps": rate
    }  # fmt: skip
    changes = {which: _amount(text, which) for which, text in given.items() if text is not None}
    if not changes:
        raise Invalid(
            "say which quota: --size 200G, --torrents 100, --active 3, --month 500G, --rate 20M", field="quota"
        )
    settled = await call.desk.limits.set(by, name, changes)
    return Reply({"name": name, **shown(settled)}, f"{name} may now\n{_said(settled)}")


def shown(settled: Settled) -> Mapping[str, int | None]:
    """What is settled for somebody, for scripts."""
    return {
        "quota_bytes": settled.bytes,
        "quota_torrents": settled.torrents,
        "quota_active": settled.active,
        "quota_month_bytes": settled.month_bytes,
        "quota_bps": settled.bps,
    }


def _amount(text: str, which: Which) -> int | None:
    if text == AS_CONFIGURED:
        return None
    amount, most = typed.size(text, field=which), MOST if which in ("torrents", "active") else LARGEST
    if amount > most:
        raise Invalid(f"{text} is too much: give at most {most}, or 0 for no limit", field=which)
    return amount


def _said(settled: Settled) -> str:
    """The whole of it in words; what is as configured is left out."""
    parts = (
        (settled.bytes, size, "claim", "any size"),
        (settled.torrents, lambda n: count(n, "torrent"), "have", "any number of torrents"),
        (settled.active, lambda n: count(n, "download"), "run", "any number of downloads at the same time"),
        (settled.month_bytes, lambda n: f"{size(n)} a month", "read", "any amount a month"),
        (settled.bps, rate, "read", "at any rate"),
    )
    told = [f"{verb} {words(n) if n else free}" for n, words, verb, free in parts if n is not None]
    return "\n".join(f"  {part}" for part in told or ["do what is configured for everybody"])
