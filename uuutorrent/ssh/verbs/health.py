"""The verb for admins that says how everything does: torrents, services, jobs, feeds, the disk, backups."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from uuutorrent.automation.feeds.rule import Failing
from uuutorrent.automation.health.observations import Unwell
from uuutorrent.automation.upkeep.around import NAMED, Backups, Chore, Room, Service
from uuutorrent.ssh.call import Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.ssh.verbs.torrents import SHOWN_HASH
from uuutorrent.torrents.engine import InfoHash
from uuutorrent.torrents.holdings import Holding
from uuutorrent.tui.admin import around as services_said
from uuutorrent.tui.admin import chores as jobs_said
from uuutorrent.tui.figures import ago, count, size, took

EVERY_FEED = "Every feed answers."


async def health(*, call: TheCall) -> Reply:
    """How everything does: services, jobs and feeds, the disk, backups, and everybody's torrents that are not well."""
    desk = call.desk
    by = await call.admin()
    around = desk.around
    services, jobs, feeds = await around.services(by), around.jobs(by), await around.feeds(by)
    room, backups = around.room(by), around.backups(by)
    unwell = await desk.observations.every(by)
    held = {one.infohash: one for one in await desk.library.all(by)} if unwell else {}
    steps = await desk.healing.steps() if unwell else {}
    rows = [
        (one.verdict.value, instant(one.since) or "", one.infohash[:SHOWN_HASH], _said(one, held, steps))
        for one in unwell
    ]
    parts = (
        call.table(("HEALTH", "SINCE", "HASH", "NAME"), rows, empty="Every torrent does well."),
        call.table(("SERVICE", "LAST", "TOOK", "FAILED", "WHY"), [_service_row(one) for one in services], empty=""),
        call.table(("JOB", "LAST", "AT", "WHY"), [_job_row(one) for one in jobs], empty="No job took a turn yet."),
        call.table(("FAILED", "FEED"), [(str(one.failures), _feed_said(one)) for one in feeds], empty=EVERY_FEED),
        call.listing([(_room_said(room),), (_backups_said(backups),)], empty=""),
    )
    document = {
        "torrents": [_unwell(one, held.get(one.infohash), steps.get(one.torrent_id, "")) for one in unwell],
        "services": [_service(one) for one in services],
        "jobs": [_job(one) for one in jobs],
        "feeds": [_feed(one) for one in feeds],
        "disk": {"free": room.free_bytes, "waiting": room.waiting} if room else None,
        "backups": {name: instant(getattr(backups, name)) for name in ("files", "second", "drilled")},
    }
    return Reply(document, "\n\n".join(parts))


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


def _service_row(one: Service) -> tuple[str, ...]:
    name, last = NAMED[one.name], one.last
    failed = f"{one.failed} of {one.asked}" if one.asked else ""
    if last is None:
        return name, "not asked yet", "", failed, one.trouble
    said = services_said.WORDS.get(last.outcome, last.outcome)
    return name, said, took(last.seconds * 1000), failed, last.why or one.trouble


def _service(one: Service) -> Mapping[str, Any]:
    last = one.last
    return {
        "service": one.name,
        "state": last.outcome if last else None,
        "latency_s": round(last.seconds, 6) if last else None,
        "usual_s": None if one.usual_s is None else round(one.usual_s, 6),
        "asked": one.asked,
        "failed": one.failed,
        "at": instant(_at(last.at)) if last else None,
        "why": (last.why if last else "") or one.trouble,
    }


def _job_row(one: Chore) -> tuple[str, ...]:
    said = jobs_said.WORDS.get(one.last.outcome, one.last.outcome)
    return one.name, said, instant(_at(one.last.at)) or "", one.last.why


def _job(one: Chore) -> Mapping[str, Any]:
    return {
        "job": one.name,
        "outcome": one.last.outcome,
        "took_s": round(one.last.seconds, 6),
        "turns": one.turns,
        "failed": one.failed,
        "at": instant(_at(one.last.at)),
        "well_at": instant(one.well_at),
        "why": one.last.why,
    }


def _feed_said(one: Failing) -> str:
    return f"{one.shown_url}: {one.error}"


def _feed(one: Failing) -> Mapping[str, Any]:
    polled_at = instant(one.polled_at)
    return {"url": one.shown_url, "failures": one.failures, "polled_at": polled_at, "error": one.error}


def _room_said(room: Room | None) -> str:
    if room is None:
        return "Disk: it cannot be told just now how much is free."
    waiting = f"; {count(room.waiting, 'download')} waiting for room" if room.waiting else ""
    return f"Disk: {size(room.free_bytes)} free{waiting}."


def _backups_said(backups: Backups) -> str:
    now = datetime.now(UTC)
    files, second, drilled = (ago(at, now) if at else "" for at in (backups.files, backups.second, backups.drilled))
    beside = f", in the second place {second}" if second else ""
    said = f"the newest is from {files}{beside}" if files else "none since this daemon began"
    return f"Backups: {said}; restored for practice {drilled or 'never'}."


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
