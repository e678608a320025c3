"""Verbs about which torrents there are: torrents, show, add; and the torrent that a typed hash names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from uuutorrent.automation.health.health import Verdict
from uuutorrent.automation.health.observations import Unwell
from uuutorrent.errors import Invalid, Missing, Unreachable
from uuutorrent.releases.contents import told
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.torrents.engine import InfoHash, Peer, Phase, TorrentFile, Tracker
from uuutorrent.torrents.holdings import Details, Holding
from uuutorrent.torrents.metainfo import Metainfo
from uuutorrent.torrents.sources import LARGEST_TORRENT, Source
from uuutorrent.tui.figures import eta, percent, rate, size
from uuutorrent.tui.plain import plain

SHORTEST_PREFIX = 6
"""Fewer characters of an infohash do not name a torrent."""
SHOWN_HASH = 10
MUCH = 0.1
"""So much of what is left is said before it is taken."""
PRIORITIES = {0: "skip", 1: "normal", 6: "high", 7: "max"}
"""Source: qBittorrent WebUI API, torrent contents, `priority`."""


async def torrents(*, all: typed.Flag = False, call: TheCall) -> Reply:
    """Your torrents, newest first.

    While qBittorrent is away: what was last seen of them, and exit code 75.

    Parameters
    ----------
    all
        Everybody's, with their owners (admins).
    """
    desk = call.desk
    unwell: Mapping[InfoHash, Unwell]
    if all:
        by = await call.admin()
        held, unwell = await desk.library.all(by), {one.infohash: one for one in await desk.observations.every(by)}
    else:
        held, unwell = await desk.library.holdings(desk.user), await desk.observations.of(desk.user)
    text, snapshot = _table(call, held, unwell), desk.live.snapshot
    if snapshot.engine_up:
        return Reply([_holding(one, unwell.get(one.infohash)) for one in held], text)
    if not call.json:
        call.io.out(f"{text}\n".encode())
    when = f"; this is from {instant(snapshot.at)}" if snapshot.at else ""
    raise Unreachable("qBittorrent", snapshot.trouble.removeprefix("qBittorrent: ") + when)


async def show(infohash: str, /, *, call: TheCall) -> Reply:
    """One torrent from near: its files, trackers and peers.

    Parameters
    ----------
    infohash
        Of one of your torrents; it may be cut short.
    """
    details = await call.desk.library.details(call.desk.user, await named(call, infohash))
    unwell = (await call.desk.observations.of(call.desk.user)).get(details.holding.infohash)
    document = {
        "torrent": _holding(details.holding, unwell),
        "files": [_file(one) for one in details.files],
        "trackers": [_tracker(one) for one in details.trackers],
        "peers": [_peer(one) for one in details.peers],
    }
    return Reply(document, _details(call, details, unwell))


async def add(source: Annotated[str, Parameter(allow_leading_hyphen=True)], /, *, call: TheCall) -> Reply:
    """Add a torrent.

    Parameters
    ----------
    source
        A magnet, the http(s) address of a .torrent, or - to read a .torrent from stdin. Quote a magnet twice:
        once for your own shell, once for here.
    """
    given: str | bytes = source
    if source == "-":
        given = await call.read(LARGEST_TORRENT, "send a .torrent file on stdin: add - < FILE")
    library, user = call.desk.library, call.desk.user
    content = await library.sources.read(given)
    await _tell_what_it_takes(call, content)
    added = await library.add(user, content)
    document = {"infohash": added.infohash, "name": added.name, "already": added.already}
    if added.queued:
        return Reply.failed(document, Unreachable, added.queued)
    return Reply(document, f"{'You have it already' if added.already else 'Added'}: {plain(added.name)}")


VERBS = (
    Verb("torrents [--all]", torrents),
    Verb("show HASH", show),
    Verb("add SOURCE", add),
)


async def named(call: Call, typed_hash: str) -> InfoHash:
    """The one torrent of theirs that an infohash, v1 or v2, or the beginning of one names.

    Raises:
        Missing: they have none.
        Invalid: it could be several, or hardly names anything.
    """
    wanted = typed_hash.strip().lower()
    if len(wanted) < SHORTEST_PREFIX:
        raise Invalid(f"give at least {SHORTEST_PREFIX} characters of the infohash", field="infohash")
    if typed.is_infohash(wanted):
        stored = await call.desk.library.claimed(call.desk.user, wanted)
        found = {stored.infohash} if stored else set()
    else:
        held = await call.desk.library.holdings(call.desk.user)
        found = {one.infohash for one in held if one.infohash.startswith(wanted)}
    if len(found) > 1:
        raise Invalid(f"{typed_hash} fits several of your torrents: give more of it", field="infohash")
    if not found:
        raise Missing(f"you have no torrent {typed_hash}")
    return found.pop()


async def _tell_what_it_takes(call: Call, content: Source) -> None:
    """Say before it is claimed what it needs and what there is, where that is much of it; a refusal says it anyway."""
    usage = await call.desk.library.usage(call.desk.user)
    needed = content.size_bytes if isinstance(content, Metainfo) else 0
    is_much = usage.left_bytes is not None and usage.left_bytes * MUCH < needed <= usage.left_bytes
    if is_much and await call.desk.library.claimed(call.desk.user, content.infohash) is None:
        call.notice(f"it {usage.forecast(needed)}")


def _holding(one: Holding, unwell: Unwell | None) -> Mapping[str, Any]:
    return {
        "infohash": one.infohash,
        "name": one.name,
        "phase": one.phase.value,
        "progress": one.progress,
        "size": one.size_bytes,
        "completed": one.completed_bytes,
        "down_bps": one.down_bps,
        "up_bps": one.up_bps,
        "eta_s": one.eta_s,
        "ratio": one.ratio,
        "seeds": one.seeds,
        "peers": one.peers,
        "added_at": instant(one.added_at),
        "completed_at": instant(one.completed_at),
        "media_id": one.media_id,
        "episode": one.episode,
        "episodes": list(one.episodes),
        "part": one.is_part,
        "owners": list(one.owners),
        "shared": one.shared,
        "sequential": one.sequential,
        "down_limit_bps": one.down_limit_bps,
        "up_limit_bps": one.up_limit_bps,
        "note": one.note,
        "health": unwell.verdict.value if unwell else Verdict.WELL.value,
        "why": unwell.why if unwell else "",
    }


def _file(one: TorrentFile) -> Mapping[str, Any]:
    return {
        "index": one.index,
        "path": one.path,
        "size": one.size_bytes,
        "progress": one.progress,
        "priority": _priority(one),
    }


def _priority(one: TorrentFile) -> str:
    return PRIORITIES.get(one.priority, "normal")


def _tracker(one: Tracker) -> Mapping[str, Any]:
    return {"url": one.url, "status": one.status, "seeds": one.seeds, "peers": one.peers, "message": one.message}


def _peer(one: Peer) -> Mapping[str, Any]:
    return {
        "address": one.address,
        "client": one.client,
        "progress": one.progress,
        "down_bps": one.down_bps,
        "up_bps": one.up_bps,
    }


def _table(call: Call, held: Sequence[Holding], unwell: Mapping[InfoHash, Unwell]) -> str:
    rows = [
        (
            one.infohash[:SHOWN_HASH],
            one.phase.value,
            percent(one.progress),
            _moving(one),
            size(one.size_bytes),
            _name(one, unwell.get(one.infohash)),
        )
        for one in held
    ]
    headings = ("HASH", "PHASE", "DONE", "RATE", "SIZE", "NAME")
    return call.table(headings, rows, empty="You have no torrents. Fetch an episode with: get MEDIA EPISODE")


def _name(one: Holding, unwell: Unwell | None) -> str:
    owners = f" [{', '.join(one.owners)}]" if one.owners else ""
    part = f", {_numbers(one)}" if one.is_part and one.episodes else ""
    remarks = "; ".join(remark for remark in (one.note, _health(unwell)) if remark)
    return f"{one.name}{part}{owners}{f' ({remarks})' if remarks else ''}"


def _health(unwell: Unwell | None) -> str:
    return f"{unwell.verdict}: {unwell.why}" if unwell else ""


def _moving(one: Holding) -> str:
    return rate(one.down_bps) or (f"up {rate(one.up_bps)}" if one.up_bps else "")


def _details(call: Call, details: Details, unwell: Unwell | None) -> str:
    files = [(str(f.index), percent(f.progress), _priority(f), size(f.size_bytes), f.path) for f in details.files]
    trackers = [(t.status, str(t.seeds), str(t.peers), f"{t.url} {t.message}".strip()) for t in details.trackers]
    peers = [(percent(p.progress), rate(p.down_bps), rate(p.up_bps), p.address, p.client) for p in details.peers]
    parts = (
        _overview(call, details.holding, unwell),
        call.table(("INDEX", "DONE", "PRIORITY", "SIZE", "FILE"), files, empty="Its files are not known yet."),
        call.table(("STATUS", "SEEDS", "PEERS", "TRACKER"), trackers, empty="It has no trackers."),
        call.table(("DONE", "DOWN", "UP", "ADDRESS", "CLIENT"), peers, empty="No peers are connected."),
    )
    return "\n\n".join(parts)


def _overview(call: Call, one: Holding, unwell: Unwell | None) -> str:
    left = f", {eta(one.eta_s)} left" if eta(one.eta_s) and one.phase is Phase.DOWNLOADING else ""
    speed = f"down {rate(one.down_bps) or '-'}{_limit(one.down_limit_bps)}, up {rate(one.up_bps) or '-'}"
    lines = (
        one.name,
        f"{one.phase.value}, {percent(one.progress)} of {size(one.size_bytes)}{left}",
        f"{speed}{_limit(one.up_limit_bps)}, ratio {one.ratio:.2f}",
        _episodes(one),
        "in order" if one.sequential else "",
        "others claim it too" if one.shared else "",
        one.note,
        _health(unwell),
        one.infohash,
    )
    return call.listing([lines], empty="")


def _episodes(one: Holding) -> str:
    if not one.episodes:
        return "files of a batch, chosen by hand" if one.is_part else ""
    return f"{_numbers(one)} of a batch; its other files are not fetched" if one.is_part else _numbers(one)


def _numbers(one: Holding) -> str:
    return f"{'episode' if len(one.episodes) == 1 else 'episodes'} {told(one.episodes)}"


def _limit(bps: int) -> str:
    return f" (at most {rate(bps)})" if bps else ""
