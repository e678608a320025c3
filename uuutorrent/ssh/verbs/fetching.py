"""Verbs about episodes: get, activity, taste."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from uuutorrent.errors import Invalid, Missing, Unreachable
from uuutorrent.releases.release import Taste
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb, instant
from uuutorrent.torrents.grab import Grab, GrabState
from uuutorrent.tui.figures import size, took
from uuutorrent.tui.plain import plain

LONGEST_WAIT_S = 86_400.0


async def get(
    media: typed.Media,
    episode: typed.Episode | None = None,
    /,
    *,
    quality: typed.Quality = None,
    release: Annotated[str | None, Parameter(metavar="HASH")] = None,
    wait: Annotated[float, Parameter(metavar="SECONDS")] = 0,
    call: TheCall,
) -> Reply:
    """Fetch an episode.

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
    wait
        How long to wait for it to be complete.
    """
    if not 0 <= wait <= LONGEST_WAIT_S:
        raise Invalid(f"--wait takes 0 to {LONGEST_WAIT_S:.0f} seconds", field="wait")
    desk = call.desk
    infohash = typed.infohash(release) if release else None
    grab = await desk.grabs.get(desk.user, media, episode, quality=typed.quality(quality), infohash=infohash)
    if wait and not grab.is_over:
        grab = await desk.grabs.wait(desk.user, grab.id, wait)
        if grab.state is GrabState.ADDED:
            call.notice(f"not complete after {wait:.3g} s; it goes on")
    return _grabbed(call, grab)


async def activity(*, call: TheCall) -> Reply:
    """What was fetched lately, and how it went, newest first."""
    grabs = await call.desk.grabs.recent(call.desk.user)
    items = [
        (f"{instant(one.asked_at)}  {one.media_id} episode {one.episode}: {one.state}", one.title, _why(one))
        for one in grabs
    ]
    return Reply([_grab(grab) for grab in grabs], call.listing(items, empty="Nothing was fetched yet."))


async def taste_show(*, call: TheCall) -> Reply:
    """What you prefer among releases."""
    return _taste(await call.desk.releases.taste(call.desk.user))


async def taste_set(
    *,
    resolutions: typed.Words = None,
    groups: typed.Words = None,
    blocked_groups: typed.Words = None,
    codecs: typed.Words = None,
    min_seeders: typed.Count | None = None,
    max_episode_bytes: typed.Size = None,
    remakes: bool | None = None,
    call: TheCall,
) -> Reply:
    """Change what you prefer; what is not named stays.

    Parameters
    ----------
    resolutions
        Lines, best first, e.g. 1080 720; others are not taken.
    groups
        Preferred groups, best first; none after it: no preference.
    blocked_groups
        Groups never to take; none after it: all may be taken.
    codecs
        Preferred codecs, best first: AVC, HEVC, AV1; none after it: no preference.
    min_seeders
        Fewer seeders than this are not taken.
    max_episode_bytes
        The largest episode to take, e.g. 2G; 0: any size.
    remakes
        Whether re-encodes of other groups' work may be taken.
    """
    given: dict[str, Any] = {
        "resolutions": None if resolutions is None else tuple(map(_lines, _split(resolutions))),
        "groups": None if groups is None else tuple(groups),
        "blocked_groups": None if blocked_groups is None else tuple(blocked_groups),
        "codecs": None if codecs is None else tuple(word.upper() for word in _split(codecs)),
        "min_seeders": min_seeders,
        "remakes": remakes,
    }
    return await _change_taste(call, given, max_episode_bytes)


VERBS = (
    Verb("get MEDIA [EPISODE] [--quality LINES] [--release HASH] [--wait SECONDS]", get),
    Verb("activity", activity),
    Verb("taste", taste_show),
    Verb("taste set [OPTIONS]", taste_set),
)


async def _change_taste(call: Call, given: Mapping[str, Any], largest: str | None) -> Reply:
    changes = {name: value for name, value in given.items() if value is not None}
    if largest is not None:
        changes["max_episode_bytes"] = typed.size(largest, field="max_episode_bytes") or None
    if not changes:
        raise Invalid(f"say what to change, e.g. --resolutions 1080 720. See: {call.io.prefix} help taste set")
    taste = dataclasses.replace(await call.desk.releases.taste(call.desk.user), **changes)
    await call.desk.releases.set_taste(call.desk.user, taste)
    return _taste(taste)


def _split(words: Sequence[str]) -> list[str]:
    return [part for word in words for part in word.split(",") if part]


def _lines(word: str) -> int:
    return typed.quality(word) or 0


def _taste(taste: Taste) -> Reply:
    document: Mapping[str, Any] = dataclasses.asdict(taste)
    most = taste.max_episode_bytes
    shown = {
        "resolutions": " ".join(map(str, taste.resolutions)),
        "groups": " ".join(taste.groups) or "any",
        "blocked groups": " ".join(taste.blocked_groups) or "none",
        "codecs": " ".join(taste.codecs) or "any",
        "least seeders": str(taste.min_seeders),
        "largest episode": size(most) if most else "any",
        "remakes": "taken" if taste.remakes else "not taken",
    }
    return Reply(document, "\n".join(f"{name:17}{plain(value)}" for name, value in shown.items()))


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
        "asked_at": instant(grab.asked_at),
    }


def _grabbed(call: Call, grab: Grab) -> Reply:
    if grab.error is not None:
        return Reply.failed(_grab(grab), type(grab.error), grab.error.message)
    if grab.state is GrabState.FAILED:
        return Reply.failed(_grab(grab), Missing, grab.reason)
    if grab.state is GrabState.CLAIMED:
        return Reply.failed(_grab(grab), Unreachable, grab.reason)
    # The steps end when it is added; how long the download took is not theirs to tell.
    head = f"Added in {took(grab.ms)}: {grab.title}" if grab.state is GrabState.ADDED else f"Complete: {grab.title}"
    return Reply(_grab(grab), call.listing([(head, _why(grab))], empty=""))


def _why(grab: Grab) -> str:
    """Why this release; the reason often begins with its title, which stands above it already."""
    return grab.reason.removeprefix(f"{grab.title}: ")
