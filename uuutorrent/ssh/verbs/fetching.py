"""Verbs about episodes: get, grabs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from uuutorrent.errors import Invalid, Missing, Unreachable
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.torrents.grab import Grab, GrabState
from uuutorrent.torrents.usage import Usage
from uuutorrent.tui.figures import took

LONGEST_WAIT_S = 86_400.0


async def get(
    media: typed.Media,
    episode: typed.Episode | None = None,
    /,
    *,
    quality: typed.Quality = None,
    release: Annotated[str | None, Parameter(metavar="HASH")] = None,
    batch: typed.Flag = False,
    wait: Annotated[float, Parameter(metavar="SECONDS")] = 0,
    call: TheCall,
) -> Reply:
    """Fetch an episode.

    Where only a batch holds it, the files of this episode are fetched out of it and no others.

    Parameters
    ----------
    media
        AniList's id, as `watchlist` or `shows` show it.
    episode
        Its number; without it the next unwatched one.
    quality
        The only resolution wanted, e.g. 1080.
    release
        The infohash of a release that `search` lists, to take that one.
    batch
        Fetch the whole batch that holds it.
    wait
        How long to wait for it to be complete.
    """
    if not 0 <= wait <= LONGEST_WAIT_S:
        raise Invalid(f"--wait takes 0 to {LONGEST_WAIT_S:.0f} seconds", field="wait")
    infohash, lines = typed.infohash(release) if release else None, typed.quality(quality)
    grabs, user = call.desk.grabs, call.desk.user
    grab = await grabs.get(user, media, episode, quality=lines, infohash=infohash, whole_batch=batch)
    return _grabbed(call, await _waited(call, grab, wait), await call.desk.library.usage(user))


async def grabs(*, call: TheCall) -> Reply:
    """What was fetched lately, and how it went, newest first."""
    recent = await call.desk.grabs.recent(call.desk.user)
    items = [
        (f"{instant(one.asked_at)}  {one.media_id} episode {one.episode}: {one.state}", one.title, _why(one))
        for one in recent
    ]
    return Reply([_grab(grab) for grab in recent], call.listing(items, empty="Nothing was fetched yet."))


VERBS = (
    Verb("get MEDIA [EPISODE] [--quality LINES] [--release HASH] [--batch] [--wait SECONDS]", get),
    Verb("grabs", grabs),
)


async def _waited(call: Call, grab: Grab, wait: float) -> Grab:
    """The grab after a while; what is fetched of a batch, and that it is not complete, is said beside the answer."""
    if grab.files is not None and call.json and grab.error is None:
        call.notice(grab.reason.partition(". ")[0])
    if wait and not grab.is_over:
        grab = await call.desk.grabs.wait(call.desk.user, grab.id, wait)
        if grab.state is GrabState.ADDED:
            call.notice(f"not complete after {wait:.3g} s; it goes on")
    return grab


def _grab(grab: Grab) -> Mapping[str, Any]:
    return {
        "grab": grab.id,
        "state": grab.state.value,
        "infohash": grab.infohash,
        "title": grab.title,
        "ms": round(grab.ms, 1),
        "steps": [{"step": step.step, "ms": round(step.ms, 1)} for step in grab.steps],
        "reason": grab.reason,
        "media_id": grab.media_id,
        "episode": grab.episode,
        "batch": grab.files is not None,
        "whole_batch": grab.whole_batch,
        "files": list(grab.files or ()),
        "asked_at": instant(grab.asked_at),
    }


def _grabbed(call: Call, grab: Grab, usage: Usage) -> Reply:
    if grab.error is not None:
        return Reply.failed(_grab(grab), type(grab.error), grab.error.message)
    if grab.state is GrabState.FAILED:
        return Reply.failed(_grab(grab), Missing, grab.reason)
    if grab.state is GrabState.CLAIMED:
        return Reply.failed(_grab(grab), Unreachable, grab.reason)
    # The steps end when it is added; how long the download took is not theirs to tell.
    head = f"Added in {took(grab.ms)}: {grab.title}" if grab.state is GrabState.ADDED else f"Complete: {grab.title}"
    lines = _why(grab).split(". ", 1) if grab.files is not None else [_why(grab)]
    return Reply(_grab(grab), call.listing([(head, *lines, usage.left)], empty=""))


def _why(grab: Grab) -> str:
    """Why this release; the reason names its title, which stands above it already."""
    return grab.reason.replace(f"{grab.title}: ", "", 1) if grab.title else grab.reason
