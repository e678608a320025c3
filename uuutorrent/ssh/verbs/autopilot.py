"""Verbs about the autopilot: new episodes that are fetched, or offered, by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.autopilot.pursuit import Confirmed, NotConfirmed, Plan, Planned, Pursuit, State
from uuutorrent.automation.preferences import Mode
from uuutorrent.errors import Invalid
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.torrents.holdings import amount
from uuutorrent.tui.figures import count

PursuitId = Annotated[int, Parameter(validator=Number(gte=1, lte=2**31 - 1), metavar="ID")]
Confirm = Annotated[
    str | None,
    Parameter(
        metavar="WHAT",
        help="What is to happen with what has aired already: all (take the plan) or new (only what airs from now on).",
    ),
]
DEFAULT = "default"
SHOWN = (State.WANTED, State.OFFERED, State.TAKING)


async def status(*, call: TheCall) -> Reply:
    """What is fetched by itself: for all shows, for some, and what it is after just now."""
    desk = call.desk
    mode = (await desk.preferences.of(desk.user)).autopilot
    modes = {media_id: own.value for media_id, own in (await desk.autopilot.modes(desk.user)).items()}
    pursuits = await desk.autopilot.pursuits(desk.user)
    titles = await desk.autopilot.titles({*modes, *(one.media_id for one in pursuits)})
    document = {
        "mode": mode.value,
        "shows": [{"media_id": one, "title": titles[one], "mode": own} for one, own in modes.items()],
        "pursuits": [_pursuit(one, titles[one.media_id]) for one in pursuits],
    }
    lines: list[tuple[str, ...]] = [
        (f"For all shows: {mode}",),
        *((f"{titles[one]}: {own}",) for one, own in modes.items()),
    ]
    lines += [_lines(one, titles[one.media_id]) for one in pursuits if one.state in SHOWN]
    return Reply(document, call.listing(lines, empty=""))


async def off(*, call: TheCall) -> Reply:
    """Fetch nothing by itself any more."""
    return await _switched(call, Mode.OFF, None)


async def ask(*, confirm: Confirm = None, call: TheCall) -> Reply:
    """Offer new episodes in your inbox; without --confirm, and while it is off, only show the plan."""
    return await _switched(call, Mode.ASK, confirm)


async def on(*, confirm: Confirm = None, call: TheCall) -> Reply:
    """Fetch new episodes once they can be had; without --confirm, and while it is off, only show the plan."""
    return await _switched(call, Mode.ON, confirm)


async def plan(*, call: TheCall) -> Reply:
    """What would be taken now of what has aired already; nothing is."""
    whole = await _planned(call)
    return Reply(_plan(whole), _plan_text(call, whole))


async def show(media: typed.Media, mode: str, /, *, call: TheCall) -> Reply:
    """Say what to do for one show, whatever is said for all.

    Parameters
    ----------
    media
        AniList's id, as `watchlist` or `shows` show it.
    mode
        off, ask, on, or default: as for all shows.
    """
    own = None if mode == DEFAULT else _mode(mode)
    said = await call.desk.autopilot.set_show(call.desk.user, MediaId(media), own)
    return Reply({"media_id": media, "mode": mode}, _folded(call, said))


async def decide(pursuit: PursuitId, choice: str, /, *, call: TheCall) -> Reply:
    """Take or skip an episode that was offered, or is looked for.

    Parameters
    ----------
    pursuit
        Its number, as `autopilot` shows it.
    choice
        take or skip.
    """
    said = await call.desk.autopilot.decide_here(call.desk.user, pursuit, choice)
    return Reply({"id": pursuit, "choice": choice}, _folded(call, said))


VERBS = (
    Verb("autopilot", status),
    Verb("autopilot off", off),
    Verb("autopilot ask [--confirm all|new]", ask),
    Verb("autopilot on [--confirm all|new]", on),
    Verb("autopilot plan", plan),
    Verb("autopilot show MEDIA off|ask|on|default", show),
    Verb("autopilot decide ID take|skip", decide),
)


async def _switched(call: Call, mode: Mode, confirm: str | None) -> Reply:
    try:
        said = await call.desk.autopilot.switch(call.desk.user, mode, confirmed=_confirmed(confirm))
    except NotConfirmed as e:
        whole = await _planned(call)
        told = f"Nothing was changed. Say --confirm {Confirmed.ALL} to take this and what airs from now on, or "
        told += f"--confirm {Confirmed.NEW} to take only what airs from now on."
        failed = Reply.failed({"mode": Mode.OFF.value, "plan": _plan(whole)}, NotConfirmed, e.message)
        return Reply(failed.document, f"{_plan_text(call, whole)}\n{_folded(call, told)}", failed.exit_code)
    return Reply({"mode": mode.value}, _folded(call, said))


async def _planned(call: Call) -> Plan:
    """The whole plan; how far it is, is told beside the reply."""
    whole: Plan | None = None
    async with aclosing(call.desk.autopilot.plan(call.desk.user)) as plans:
        async for whole in plans:
            if whole.planned and not whole.is_whole:
                call.notice(f"{whole.looked_at} of {count(whole.shows, 'show')} …")
    if whole is None:
        raise Invalid("there is no plan")
    return whole


def _plan(whole: Plan) -> Mapping[str, Any]:
    usage = whole.usage
    return {
        "episodes": [_planned_one(one) for one in whole.planned],
        "left_out": whole.left_out,
        "size": whole.size_bytes,
        "quota": {"bytes": usage.bytes, "bytes_after": whole.bytes_after, "bytes_allowed": usage.quota_bytes or None},
    }


def _planned_one(one: Planned) -> Mapping[str, Any]:
    release = one.release.release if one.release else None
    return {
        "media_id": one.media_id,
        "title": one.title,
        "episode": one.episode,
        "infohash": release.infohash if release else None,
        "release": release.title if release else None,
        "size": one.size_bytes if release else None,
        "fits": one.fits,
        "reason": one.why,
    }


def _plan_text(call: Call, whole: Plan) -> str:
    items = [_planned_lines(one) for one in whole.planned]
    text = call.listing(items, empty="Nothing has aired that you have neither seen nor got.")
    usage = whole.usage
    allowed = f" of {amount(usage.quota_bytes)}" if usage.quota_bytes else ""
    after = f"You use {amount(usage.bytes)}{allowed}; after this it would be {amount(whole.bytes_after)}."
    left = (
        f" {count(whole.left_out, 'later episode')} of shows far behind would not be taken." if whole.left_out else ""
    )
    return f"{text}\n{_folded(call, after + left)}" if whole.planned else text


def _folded(call: Call, sentence: str) -> str:
    return call.listing([(sentence,)], empty="")


def _planned_lines(one: Planned) -> tuple[str, ...]:
    mark = "·" if one.release is None else "→" if one.fits else "✗"
    size = f"  {amount(one.size_bytes)}" if one.release else ""
    title = one.release.release.title if one.release else ""
    return f"{mark} {one.title}, episode {one.episode}{size}", title, "" if one.release and one.fits else one.why


def _pursuit(one: Pursuit, title: str) -> Mapping[str, Any]:
    return {
        "id": one.id,
        "media_id": one.media_id,
        "title": title,
        "episode": one.episode,
        "state": one.state.value,
        "infohash": one.infohash or None,
        "release": one.title or None,
        "reason": one.why,
        "at": instant(one.at),
        "next_look_at": instant(one.try_at) if one.state is State.WANTED else None,
    }


def _lines(one: Pursuit, title: str) -> tuple[str, ...]:
    return f"{one.id}  {title}, episode {one.episode}: {_standing(one)}", one.title, one.why


def _standing(one: Pursuit) -> str:
    if one.state is State.OFFERED:
        return f"it can be had; say autopilot decide {one.id} take|skip"
    if one.state is State.TAKING:
        return "it is being taken"
    if one.at > datetime.now(UTC):
        return f"it airs at {instant(one.at)}"
    return f"it is looked for, next at {instant(one.try_at)}"


def _mode(said: str) -> Mode:
    try:
        return Mode(said)
    except ValueError as e:
        raise Invalid(f"say one of: {', '.join((*Mode, DEFAULT))}", field="mode") from e


def _confirmed(said: str | None) -> Confirmed | None:
    try:
        return None if said is None else Confirmed(said)
    except ValueError as e:
        raise Invalid(f"--confirm takes {Confirmed.ALL} or {Confirmed.NEW}", field="confirm") from e
