"""The verb about the releases of an episode: search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from uuutorrent.anime.anime import MediaId
from uuutorrent.releases.release import Found, Kind, Match, Ranked
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.tui.figures import count, size

MOST_REJECTS = 10
"""How many rejected releases the text form lists; the JSON document has all."""


async def search(
    media: typed.Media, episode: typed.Episode, /, *, quality: typed.Quality = None, call: TheCall
) -> Reply:
    """Which releases there are of an episode, best first, and why.

    Parameters
    ----------
    media
        AniList's id, as `watchlist` or `shows` show it.
    episode
        Its number within the show.
    quality
        The only resolution wanted, e.g. 1080.
    """
    found = await call.desk.releases.find(call.desk.user, MediaId(media), episode, quality=typed.quality(quality))
    return Reply(_found(found), _found_text(call, found))


VERBS = (Verb("search MEDIA EPISODE [--quality LINES]", search),)


def _found(found: Found) -> Mapping[str, Any]:
    return {
        "best": found.best.release.infohash if found.best else None,
        "said": found.said,
        "candidates": [_candidate(ranked) for ranked in found.candidates],
    }


def _candidate(ranked: Ranked) -> Mapping[str, Any]:
    return {
        "infohash": ranked.release.infohash,
        "title": ranked.release.title,
        "verdict": ranked.verdict.value,
        "score": ranked.score,
        "reasons": list(ranked.reasons),
        "seeders": ranked.release.seeders,
        "size": ranked.release.size_bytes,
        "group": ranked.name.group,
        "resolution": ranked.name.resolution,
        "version": ranked.name.version,
        "batch": ranked.name.kind is Kind.BATCH,
    }


def _found_text(call: Call, found: Found) -> str:
    matches = [one for one in found.candidates if one.verdict is Match.MATCH]
    rejects = [one for one in found.candidates if one.verdict is Match.REJECT]
    items = [_lines_of(one, "→" if one is found.best else "+") for one in matches]
    items += [_lines_of(one, "✗") for one in rejects[:MOST_REJECTS]]
    # What was chosen stands first, with the same reasons.
    said = "" if found.best else call.listing([(found.said,)], empty="")
    hidden = len(rejects) - MOST_REJECTS
    more = [f"✗ {count(hidden, 'more release')} rejected; --json lists all of them"] if hidden > 0 else []
    return "\n".join([said, call.listing(items, empty=""), *more]).strip("\n")


def _lines_of(ranked: Ranked, mark: str) -> tuple[str, ...]:
    release = ranked.release
    seeders = count(release.seeders, "seeder")
    head = f"{mark} {release.infohash}  {seeders}  {size(release.size_bytes)}"
    return head, release.title, "; ".join(ranked.reasons)
