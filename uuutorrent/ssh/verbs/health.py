"""The verb for admins that says which torrents do not do well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uuutorrent.automation.health.observations import Unwell
from uuutorrent.ssh.call import Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.ssh.verbs.torrents import SHOWN_HASH
from uuutorrent.torrents.engine import InfoHash
from uuutorrent.torrents.holdings import Holding


async def health(*, call: TheCall) -> Reply:
    """Everybody's torrents that do not do well, and why."""
    desk = call.desk
    by = await call.admin()
    unwell = await desk.observations.every(by)
    held = {one.infohash: one for one in await desk.library.all(by)} if unwell else {}
    steps = await desk.healing.steps() if unwell else {}
    rows = [
        (one.verdict.value, instant(one.since) or "", one.infohash[:SHOWN_HASH], _said(one, held, steps))
        for one in unwell
    ]
    text = call.table(("HEALTH", "SINCE", "HASH", "NAME"), rows, empty="Everything does well.")
    return Reply([_unwell(one, held.get(one.infohash), steps.get(one.torrent_id, "")) for one in unwell], text)


VERBS = (Verb("health", health),)


def _said(one: Unwell, held: Mapping[InfoHash, Holding], steps: Mapping[int, str]) -> str:
    there, step = held.get(one.infohash), steps.get(one.torrent_id)
    owners = f" [{', '.join(there.owners)}]" if there else ""
    return f"{one.name}{owners}: {one.why}" + (f"; {step}" if step else "")


def _unwell(one: Unwell, there: Holding | None, step: str) -> Mapping[str, Any]:
    return {
        "infohash": one.infohash,
        "name": one.name,
        "health": one.verdict.value,
        "cause": one.cause.value,
        "why": one.why,
        "since": instant(one.since),
        "step": step,
        "complete": one.is_complete,
        "progress": there.progress if there else None,
        "media_id": there.media_id if there else None,
        "episode": there.episode if there else None,
        "owners": list(there.owners) if there else [],
    }
