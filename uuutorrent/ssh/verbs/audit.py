"""The verb for admins that shows what was done, by whom, and from where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from uuutorrent.audit import MOST_FOUND, OK, Note
from uuutorrent.errors import Invalid
from uuutorrent.ssh.call import Reply, TheCall, Verb
from uuutorrent.ssh.text import instant

Limit = Annotated[int, Parameter(validator=Number(gte=1, lte=MOST_FOUND), metavar="N")]
Time = Annotated[str | None, Parameter(metavar="TIME")]

_AGO = re.compile(r"([0-9]{1,5})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


async def audit(
    *text: str,
    user: Annotated[str, Parameter(metavar="NAME")] = "",
    since: Time = None,
    limit: Limit = 50,
    call: TheCall,
) -> Reply:
    """Who did what to what, from where, and how it ended; the newest first.

    For example: audit sign-in --user ann --since 7d

    Parameters
    ----------
    text
        Only what has this in it: an act such as delete, an address, the name of a torrent, refused.
    user
        Only what this person did, or what was done to them. The operator is called operator.
    since
        Only what came after: 2026-11-21, 2026-11-21T18:00 (UTC), or so long ago: 90m, 12h, 7d.
    limit
        How many.
    """
    by = await call.admin()
    after = None if since is None else time(since, datetime.now(UTC))
    notes = await call.desk.audit.search(by, " ".join(text), user=user, since=after, limit=limit)
    rows = [(instant(one.at) or "", one.who or "-", one.source or "-", _told(one)) for one in notes]
    return Reply([_document(one) for one in notes], call.table(("AT", "WHO", "FROM", "WHAT"), rows, empty="Nothing."))


def time(typed: str, now: datetime) -> datetime:
    """The moment that somebody means who types a date, a time (in UTC), or how long ago.

    Raises:
        Invalid: it is none of these.
    """
    if ago := _AGO.fullmatch(typed.strip()):
        return now - int(ago[1]) * _UNITS[ago[2]]
    try:
        moment = datetime.fromisoformat(typed.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as e:
        said = f"{typed} is no time: type it as 2026-11-21, 2026-11-21T18:00, or how long ago as 90m, 12h, 7d"
        raise Invalid(said, field="since") from e


VERBS = (Verb("audit [TEXT] [--user NAME] [--since TIME] [--limit N]", audit),)


def _told(one: Note) -> str:
    target = "" if one.target == one.who else one.target
    ended = "" if one.outcome == OK else f"({one.outcome})"
    said = " ".join(part for part in (one.act, target, ended) if part)
    return f"{said}: {one.detail}" if one.detail else said


def _document(one: Note) -> Mapping[str, Any]:
    return {
        "id": one.id,
        "at": instant(one.at),
        "who": one.who,
        "from": one.source,
        "act": one.act,
        "target": one.target,
        "outcome": one.outcome,
        "detail": one.detail,
    }
