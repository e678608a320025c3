"""The verb for admins that says which torrents do not do well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uuutorrent.automation.observations import Unwell
from uuutorrent.ssh.call import Reply, TheCall, Verb, instant
from uuutorrent.torrents.engine import InfoHash
from uuutorrent.torrents.holdings import Holding


async def health(*, call: TheCall) -> Reply:
    """Everybody's torrents that do not do well, and why."""
    desk = call.desk
    by = await desk.accounts.admin(desk.user)
    unwell = await desk.observations.every(by)
    held = {one.infohash: one for one in await desk.library.all(by)} if unwell else {}
    rows = [
        (one.verdict.value, instant(one.since) or "", one.infohash[:10], f"{_name(one, held)}: {one.why}")
        for one in unwell
    ]
    text = call.table(("HEALTH", "SINCE", "HASH", "NAME"), rows, empty="Everything does well.")
    return Reply([_unwell(one, held.get(one.infohash)) for one in unwell], text)


VERBS = (Verb("health", health),)


def _name(one: Unwell, held: Mapping[InfoHash, Holding]) -> str:
    there = held.get(one.infohash)
    return f"{one.name} [{', '.join(there.owners)}]" if there else one.name


def _unwell(one: Unwell, there: Holding | None) -> Mapping[str, Any]:
    return {
        "infohash": one.infohash,
        "name": one.name,
        "health": one.verdict.value,
        "cause": one.cause.value,
        "why": one.why,
        "since": instant(one.since),
        "complete": one.is_complete,
        "progress": there.progress if there else None,
        "media_id": there.media_id if there else None,
        "episode": there.episode if there else None,
        "owners": list(there.owners) if there else [],
    }
