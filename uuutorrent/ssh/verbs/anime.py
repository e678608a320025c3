"""Verbs about the watchlist: watchlist, progress, shows, watch, unwatch, status."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter

from uuutorrent.anime.anime import Anime, MediaId, WatchEntry
from uuutorrent.anime.watchlist import FinishesShow
from uuutorrent.errors import Conflict
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.ssh.verbs.accounts import warn_of_link
from uuutorrent.tui.figures import span
from uuutorrent.tui.plain import plain

Statuses = Annotated[list[str] | None, Parameter(consume_multiple=True, negative="", metavar="STATUS")]


async def watchlist(*, status: Statuses = None, refresh: typed.Flag = False, call: TheCall) -> Reply:
    """Your watchlist, newest activity first.

    Parameters
    ----------
    status
        CURRENT (if none is named), REPEATING, PLANNING, PAUSED, COMPLETED or DROPPED; one or several.
    refresh
        Ask AniList anew, also when its last answer is less than a minute old.
    """
    statuses = [typed.status(word) for word in status or ["CURRENT"]]
    found = await call.desk.watchlists.list(call.desk.user, statuses, refresh=refresh)
    if found.stale:
        call.notice(found.stale)
    if found.source == "anilist":
        await warn_of_link(call)
    now = datetime.now(UTC)
    rows = [(str(e.anime.media_id), _seen(e), _next(e, now), f"{e.behind or ''}", e.anime.title) for e in found.entries]
    empty = "Nothing on this list. Find a show with: shows TITLE; and add it with: watch MEDIA"
    text = call.table(("MEDIA", "SEEN", "NEXT", "BEHIND", "TITLE"), rows, empty=empty)
    return Reply([_entry(entry) for entry in found.entries], text)


async def progress(media: typed.Media, n: typed.Count, /, *, complete: bool | None = None, call: TheCall) -> Reply:
    """Set how many episodes you have seen.

    Parameters
    ----------
    media
        AniList's id, as `watchlist` shows it.
    n
        Episodes seen.
    complete
        Whether having seen the last one moves the show to COMPLETED.
    """
    try:
        entry = await call.desk.watchlists.set_progress(call.desk.user, MediaId(media), n, complete=complete)
    except FinishesShow as e:
        raise Conflict(
            f"episode {n} is the last one of {e.entry.anime.title}: add --complete to move it to COMPLETED, "
            f"or --no-complete to leave it {e.entry.status.value}"
        ) from e
    return Reply(_entry(entry), f"{plain(entry.anime.title)}: {_seen(entry)} ({entry.status.value})")


async def status(media: typed.Media, status: str, /, *, call: TheCall) -> Reply:
    """Move a show to another part of your list.

    Parameters
    ----------
    media
        AniList's id, as `watchlist` shows it.
    status
        CURRENT, REPEATING, PLANNING, PAUSED, COMPLETED or DROPPED.
    """
    entry = await call.desk.watchlists.set_status(call.desk.user, MediaId(media), typed.status(status))
    return Reply(_entry(entry), f"{plain(entry.anime.title)}: {_seen(entry)} ({entry.status.value})")


async def shows(*title: str, call: TheCall) -> Reply:
    """Look up shows by title at AniList.

    Parameters
    ----------
    title
        Words of it.
    """
    found = await call.desk.watchlists.search(call.desk.user, " ".join(title))
    rows = [(str(a.media_id), a.format, str(a.year or ""), str(a.episodes or "?"), a.title) for a in found]
    headings = ("MEDIA", "FORMAT", "YEAR", "EPISODES", "TITLE")
    return Reply([_show(anime) for anime in found], call.table(headings, rows, empty="AniList knows no such show."))


async def watch(media: typed.Media, /, *, status: str = "CURRENT", call: TheCall) -> Reply:
    """Put a show on your watchlist.

    Parameters
    ----------
    media
        AniList's id, as `shows` finds it.
    status
        CURRENT (if none is named), REPEATING, PLANNING, PAUSED, COMPLETED or DROPPED.
    """
    entry = await call.desk.watchlists.add(call.desk.user, MediaId(media), typed.status(status))
    return Reply(_entry(entry), f"{plain(entry.anime.title)} is on your list ({entry.status.value}).")


async def unwatch(media: typed.Media, /, *, call: TheCall) -> Reply:
    """Take a show off your watchlist.

    Parameters
    ----------
    media
        AniList's id, as `watchlist` shows it.
    """
    await call.desk.watchlists.remove(call.desk.user, MediaId(media))
    return Reply({"media_id": media}, "It is off your list.")


VERBS = (
    Verb("watchlist [--status STATUS…] [--refresh]", watchlist),
    Verb("progress MEDIA N [--complete | --no-complete]", progress),
    Verb("status MEDIA STATUS", status),
    Verb("shows TITLE…", shows),
    Verb("watch MEDIA [--status STATUS]", watch),
    Verb("unwatch MEDIA", unwatch),
)


def _seen(entry: WatchEntry) -> str:
    return f"{entry.progress}/{entry.anime.episodes or '?'}"


def _next(entry: WatchEntry, now: datetime) -> str:
    if entry.next_episode is None:
        return "finished"
    if entry.behind:
        return f"{entry.next_episode}"
    airs_at = entry.anime.next_airs_at if entry.anime.next_episode == entry.next_episode else None
    if airs_at is None:
        return f"{entry.next_episode} not aired"
    return f"{entry.next_episode} in {span((airs_at - now).total_seconds())}"


def _show(anime: Anime) -> Mapping[str, Any]:
    return {
        "media_id": anime.media_id,
        "title": anime.title,
        "format": anime.format,
        "year": anime.year,
        "episodes": anime.episodes,
    }


def _entry(entry: WatchEntry) -> Mapping[str, Any]:
    return {
        "media_id": entry.anime.media_id,
        "title": entry.anime.title,
        "status": entry.status.value,
        "progress": entry.progress,
        "episodes": entry.anime.episodes,
        "aired": entry.anime.aired,
        "next_episode": entry.next_episode,
        "behind": entry.behind,
        "airs_at": instant(entry.anime.next_airs_at),
    }
