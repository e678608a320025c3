"""Verbs about downloads that did not do well: timeline, undo, blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from uuutorrent.automation.health.timeline import Line, with_holding
from uuutorrent.releases.blocks import Block, OnesBlock
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.ssh.verbs.torrents import SHOWN_HASH, named
from uuutorrent.tui.plain import plain

LineId = Annotated[int, Parameter(validator=Number(gte=1, lte=2**31 - 1), metavar="LINE")]
BlockId = Annotated[int, Parameter(validator=Number(gte=1, lte=2**31 - 1), metavar="ID")]
Title = Annotated[str, Parameter(metavar="TITLE")]
USUAL_DAYS = 30


async def timeline(infohash: str, /, *, call: TheCall) -> Reply:
    """What happened to one of your torrents, and to what it replaced.

    Parameters
    ----------
    infohash
        Of one of your torrents, and then it may be cut short; or of one that was replaced.
    """
    desk = call.desk
    which = infohash.strip().lower()
    lines = await desk.timeline.of(desk.user, which) if typed.is_infohash(which) else ()
    if not lines:
        which = await named(call, infohash)
        lines = await desk.timeline.of(desk.user, which)
    held = next((one for one in await desk.library.holdings(desk.user) if one.infohash == which), None)
    lines = with_holding(lines, held)
    rows = [(str(one.id or ""), instant(one.at) or "", one.step, _text(one)) for one in lines]
    text = call.table(("LINE", "AT", "STEP", "WHAT"), rows, empty="Nothing happened to it yet.")
    return Reply([_line(one) for one in lines], text)


async def undo(line: LineId, /, *, call: TheCall) -> Reply:
    """Take back a replacement or a block, within a day.

    Parameters
    ----------
    line
        Its number in the `timeline` of the torrent.
    """
    said = await call.desk.healing.undo(call.desk.user, line)
    return Reply({"line": line, "message": said}, plain(said))


async def blocks(*, call: TheCall) -> Reply:
    """The releases that are not picked for you, and why."""
    blocked = await call.desk.releases.blocks.of(call.desk.user)
    rows = [
        (one.infohash[:SHOWN_HASH], f"{one.until:%Y-%m-%d}", "everybody" if one.is_for_all else "you", _named(one))
        for one in blocked
    ]
    text = call.table(("HASH", "UNTIL", "FOR", "RELEASE"), rows, empty="No release is blocked for you.")
    return Reply([_block(one) for one in blocked], text)


async def lift(infohash: str, /, *, call: TheCall) -> Reply:
    """Let a blocked release be picked again for you.

    Parameters
    ----------
    infohash
        Of a release that `blocks` lists; it may be cut short.
    """
    lifted = await call.desk.healing.lift(call.desk.user, infohash)
    return Reply(_block(lifted), f"It may be picked again: {plain(lifted.title)}")


async def every(*, call: TheCall) -> Reply:
    """The releases that are not picked for somebody or for everybody; only for admins."""
    blocked = await call.desk.releases.blocks.every(await call.admin())
    rows = [
        (str(one.block.id), one.block.infohash[:SHOWN_HASH], f"{one.block.until:%Y-%m-%d}", one.name or "everybody",
         _named(one.block))
        for one in blocked
    ]  # fmt: skip
    text = call.table(("ID", "HASH", "UNTIL", "FOR", "RELEASE"), rows, empty="No release is blocked.")
    return Reply([_ones(one) for one in blocked], text)


async def add(
    infohash: str, /, *reason: str, title: Title = "", days: typed.Count = USUAL_DAYS, call: TheCall
) -> Reply:
    """Have a release not picked for anybody; only for admins. Whoever wants it all the same lifts it for themselves.

    Parameters
    ----------
    infohash
        All of it, as `search --json` shows it.
    reason
        Why; people read it where the release is listed.
    title
        Its name; without it, it goes by its infohash.
    days
        How long.
    """
    by = await call.admin()
    made = await call.desk.releases.blocks.block_for_all(by, infohash, title=title, reason=" ".join(reason), days=days)
    return Reply({"id": made}, f"Blocked for everybody, as {made}; blocks drop {made} ends it.")


async def drop(id: BlockId, /, *, call: TheCall) -> Reply:
    """End a block, anybody's or everybody's; only for admins.

    Parameters
    ----------
    id
        Its number, as `blocks all` shows it.
    """
    ended = await call.desk.releases.blocks.drop(await call.admin(), id)
    whom = ended.name or "everybody"
    return Reply(_ones(ended), f"It may be picked again for {whom}: {plain(ended.block.title)}")


VERBS = (
    Verb("timeline HASH", timeline),
    Verb("undo LINE", undo),
    Verb("blocks", blocks),
    Verb("blocks lift HASH", lift),
    Verb("blocks all", every),
    Verb("blocks add HASH REASON… [--title TITLE] [--days N]", add),
    Verb("blocks drop ID", drop),
)


def _text(line: Line) -> str:
    return f"{line.text} (undone)" if line.undone_at is not None else line.text


def _named(block: Block) -> str:
    return f"{block.title} ({block.reason})"


def _line(line: Line) -> Mapping[str, Any]:
    return {
        "line": line.id or None,
        "at": instant(line.at),
        "infohash": line.infohash,
        "media_id": line.media_id,
        "episode": line.episode,
        "step": line.step,
        "text": line.text,
        "undo_until": instant(line.until) if line.can_be_undone else None,
        "undone_at": instant(line.undone_at),
    }


def _ones(one: OnesBlock) -> Mapping[str, Any]:
    return {"id": one.block.id, "name": one.name or None, **_block(one.block)}


def _block(block: Block) -> Mapping[str, Any]:
    return {
        "infohash": block.infohash,
        "title": block.title,
        "reason": block.reason,
        "for_all": block.is_for_all,
        "made_at": instant(block.made_at),
        "until": instant(block.until),
    }
