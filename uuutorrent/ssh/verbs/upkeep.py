"""Verbs about what is cleared up: one's own watched episodes; for admins seeding, orphans and traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from uuutorrent.automation.upkeep.tidying import Going
from uuutorrent.automation.upkeep.traffic import Month
from uuutorrent.automation.upkeep.upkeep import Policy
from uuutorrent.errors import Invalid, RemoteError
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.torrents.orphans import Leftover, Stray
from uuutorrent.tui.figures import count, percent, size

OFF = "off"
Ratio = Annotated[float | None, Parameter(metavar="R")]
Minutes = Annotated[int | None, Parameter(metavar="M")]
Days = Annotated[str | None, Parameter(metavar="DAYS|off")]


async def tidy(days: Days = None, /, *, call: TheCall) -> Reply:
    """What of yours is deleted by itself, and when: what you watched and had served. Off unless you turn it on.

    Parameters
    ----------
    days
        So many days after it was served, e.g. 14; or off.
    """
    desk = call.desk
    if days is not None:
        await desk.preferences.change(desk.user, tidy_days=_days(days))
    wait = (await desk.preferences.of(desk.user)).tidy_days
    try:
        going = await desk.tidying.plan(desk.user)
    except RemoteError as e:
        if days is None:
            raise
        call.notice(f"{e.message}. Nothing goes before it does; `tidy` shows what will.")
        going = ()
    document = {"days": wait, "going": [_going(one) for one in going]}
    if not wait:
        text = f"Nothing is deleted by itself. {call.io.prefix} tidy 14 would change that."
        return Reply(document, call.listing([(text,)], empty=""))
    head = f"What you watched and had served goes {count(wait, 'day')} later."
    rows = [(instant(one.at) or "", size(one.size_bytes), one.name) for one in going]
    return Reply(document, f"{head}\n{call.table(('GOES', 'SIZE', 'NAME'), rows, empty='Nothing does for now.')}")


async def policy(
    name: str,
    /,
    *,
    ratio: Ratio = None,
    minutes: Minutes = None,
    default: typed.Flag = False,
    call: TheCall,
) -> Reply:
    """When the seeding of somebody's torrents ends: by ratio or by time, whichever comes first.

    Parameters
    ----------
    ratio
        Uploaded to downloaded, e.g. 2; 0: no limit.
    minutes
        Of seeding, e.g. 10080; 0: no limit.
    default
        As configured for everybody.
    """
    by, upkeep = await call.admin(), call.desk.upkeep
    if default and (ratio is not None or minutes is not None):
        raise Invalid("say a limit, or --default, not both", field="default")
    if default or ratio is not None or minutes is not None:
        return _policy(call, name, await upkeep.settle(by, name, ratio=ratio, minutes=minutes, as_configured=default))
    return _policy(call, name, await upkeep.policy(by, name))


async def orphans(*, call: TheCall) -> Reply:
    """Files and torrents that belong to nobody: below the download root, and in qBittorrent."""
    found = await call.desk.library.orphans.find(await call.admin())
    document = {
        "files": [_leftover(one) for one in found.files],
        "kept": [_leftover(one) for one in found.kept],
        "torrents": [_stray(one) for one in found.torrents],
        "others": [_stray(one) for one in found.others],
    }
    blocks = [
        _block(call, "Files of no torrent", found.files),
        _block(call, "Kept when their torrent was given up", found.kept),
        _block(call, "Torrents that nobody remembers", found.torrents),
        _block(call, "Torrents that were not added from here", found.others),
    ]
    return Reply(document, "\n\n".join(block for block in blocks if block) or "There are none.")


async def orphans_remove(what: str, /, *, call: TheCall) -> Reply:
    """Remove one orphan; a torrent leaves its files, which can be removed next.

    Parameters
    ----------
    what
        Its path or its hash, as `orphans` shows it. Nothing that changed within the hour is removed.
    """
    said = await call.desk.library.orphans.remove(await call.admin(), what)
    return Reply({"removed": what, "message": said}, said)


async def traffic(*, call: TheCall) -> Reply:
    """What left this machine this month (UTC), served and seeded, and what may."""
    month = await call.desk.traffic.month(await call.admin())
    return Reply(told(month), "\n".join(lines(month)))


VERBS = (Verb("tidy [DAYS|off]", tidy),)
FOR_ADMINS = (
    Verb("policy NAME [--ratio R] [--minutes M] [--default]", policy),
    Verb("traffic", traffic),
    Verb("orphans", orphans),
    Verb("orphans remove PATH|HASH", orphans_remove),
)


def _days(word: str) -> int:
    if word.lower() == OFF:
        return 0
    if not (word.isascii() and word.isdigit() and len(word) < 6):
        raise Invalid(f"{word} is no number of days; say e.g. 14, or off", field="days")
    return int(word)


def _going(one: Going) -> Mapping[str, Any]:
    return {
        "infohash": one.infohash,
        "name": one.name,
        "size": one.size_bytes,
        "episodes": [{"media_id": media_id, "episode": episode} for media_id, episode in one.episodes],
        "at": instant(one.at),
    }


def _policy(call: Call, name: str, policy: Policy) -> Reply:
    limit = policy.limit
    document = {"name": name, "ratio": limit.ratio, "minutes": limit.minutes, "own": policy.is_own}
    ends = [
        *([f"at a ratio of {limit.ratio:g}"] if limit.ratio else []),
        *([f"after {count(limit.minutes, 'minute')}"] if limit.minutes else []),
    ]
    said = f"ends {' or '.join(ends)}" if ends else "has no limit"
    whose = "settled for them" if policy.is_own else "as configured for everybody"
    text = f"The seeding of {name}'s torrents {said}, {whose}."
    return Reply(document, call.listing([(text,)], empty=""))


def _block(call: Call, title: str, found: Sequence[Leftover] | Sequence[Stray]) -> str:
    rows = [_row(one) for one in found]
    return f"{title}\n{call.table(('SIZE', 'SINCE', 'WHICH'), rows, empty='')}" if rows else ""


def _row(one: Leftover | Stray) -> tuple[str, str, str]:
    if isinstance(one, Stray):
        return size(one.size_bytes), instant(one.added_at) or "", f"{one.infohash} {one.name}"
    why = f" {one.kept.name}" if one.kept else " (a disk of its own is in it)" if one.is_mounted else ""
    return size(one.size_bytes), instant(one.changed_at) or "", f"{one.path}{why}"


def _leftover(one: Leftover) -> Mapping[str, Any]:
    return {
        "path": one.path,
        "size": one.size_bytes,
        "changed_at": instant(one.changed_at),
        "name": one.kept.name if one.kept else None,
        "given_up_at": instant(one.kept.at) if one.kept else None,
        "mounted": one.is_mounted,
    }


def _stray(one: Stray) -> Mapping[str, Any]:
    return {"infohash": one.infohash, "name": one.name, "size": one.size_bytes, "added_at": instant(one.added_at)}


def told(month: Month) -> Mapping[str, Any]:
    """The traffic of a month, for scripts."""
    return {
        "month": month.name,
        "used": month.used_bytes,
        "budget": month.budget_bytes,
        **month.by_kind,
        "projected": month.projected_bytes,
        "slowed": month.is_slowed,
        "course": list(month.course),
    }


def lines(month: Month) -> Sequence[str]:
    """The same for people."""
    of = f" of {size(month.budget_bytes)} ({percent(month.share)})" if month.budget_bytes else ", no budget"
    by_kind = month.by_kind
    return (
        f"{month.name}: {size(month.used_bytes)}{of}",
        f"served {size(by_kind['sftp'])}, seeded {size(by_kind['seeding'])}",
        f"at this pace {size(month.projected_bytes)} by the end of the month",
        *(["Seeding is slowed until the month ends."] if month.is_slowed else []),
    )
