"""The verb about the releases of an episode: search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from uuutorrent.anime.anime import MediaId
from uuutorrent.releases.release import SURE, Found, Match, Ranked
from uuutorrent.ssh import typed
from uuutorrent.ssh.call import Call, Reply, TheCall, Verb
from uuutorrent.ssh.text import instant
from uuutorrent.torrents.usage import Usage
from uuutorrent.tui.correcting import in_words
from uuutorrent.tui.figures import count, moment, size, sure

MOST_REJECTS = 10
"""How many rejected releases the text form lists unasked, when nothing fits."""


async def search(
    media: typed.Media,
    episode: typed.Episode,
    /,
    *,
    quality: typed.Quality = None,
    all: typed.Flag = False,
    call: TheCall,
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
    all
        Also what does not fit, and why not.
    """
    found = await call.desk.releases.find(call.desk.user, MediaId(media), episode, quality=typed.quality(quality))
    usage = await call.desk.library.usage(call.desk.user)
    return Reply({**_found(found), "left_bytes": usage.left_bytes}, _text(call, found, usage, every=all))


VERBS = (Verb("search MEDIA EPISODE [--quality LINES] [--all]", search),)


def _found(found: Found) -> Mapping[str, Any]:
    return {
        "best": _hash(found.best),
        "said": found.said,
        "offer_batch": _hash(found.batch),
        "wait_until": instant(found.wait_until),
        "asked": list(found.asked),
        "candidates": [_candidate(ranked) for ranked in found.candidates],
    }


def _hash(ranked: Ranked | None) -> str | None:
    return ranked.release.infohash if ranked else None


def _candidate(ranked: Ranked) -> Mapping[str, Any]:
    release, name = ranked.release, ranked.name
    return {
        "infohash": release.infohash,
        "title": release.title,
        "verdict": ranked.verdict.value,
        "score": ranked.score,
        "confidence": ranked.confidence,
        "corrected": ranked.is_corrected,
        "reasons": list(ranked.reasons),
        "lead": ranked.lead,
        "episodes": None if ranked.first is None else [ranked.first, ranked.last],
        "batch": ranked.is_batch,
        "kind": name.kind.value,
        "group": name.group,
        "resolution": name.resolution,
        "version": name.version,
        "source": name.source,
        "codec": name.codec,
        "audio": list(name.audio),
        "subtitles": list(name.subtitles),
        "seeders": release.seeders,
        "size": release.size_bytes,
        "trusted": release.trusted,
        "remake": release.remake,
        "posted_at": instant(release.posted_at),
        "page": release.page,
    }


def _text(call: Call, found: Found, usage: Usage, *, every: bool) -> str:
    fits = [one for one in found.candidates if one.verdict is Match.MATCH]
    rejects = [one for one in found.candidates if one.verdict is Match.REJECT]
    shown = len(rejects) if every else 0 if fits else MOST_REJECTS
    # What was chosen stands first, with the same reasons.
    said = [(found.said,)] if found.best is None and found.said else []
    items = [_lines_of(one, is_best=one is found.best) for one in (*fits, *rejects[:shown])]
    hidden = len(rejects[shown:])
    more = [(f"✗ {count(hidden, 'more release' if shown else 'release')} rejected; --all shows why",)] if hidden else []
    return call.listing([*said, *_beside(found, usage), *items, *more], empty="")


def _beside(found: Found, usage: Usage) -> Iterator[tuple[str, ...]]:
    """What is to be known beside the candidates."""
    needed = found.best.release.size_bytes if found.best and not found.best.is_batch else 0
    if usage.left_bytes is not None and needed > usage.left_bytes:
        yield (f"There is no room for the best: it {usage.forecast(needed)}.",)
    if found.wait_until is not None:
        yield (f"What fetches by itself waits for a better one until {moment(found.wait_until)}.",)
    if found.batch is not None:
        batch = found.batch.release
        told = f"≡ {batch.infohash}  a batch of {size(batch.size_bytes)} has all that is left; get … --batch takes it"
        room = usage.forecast(batch.size_bytes)
        yield told, batch.title, f"It {room}." if room else ""
    for offer in found.offers:
        family = found.wanted.family
        said = in_words(offer.correction, family.offset)
        yield (f"Others say: {said}. See: corrections offers {family.anime.media_id}",)


def _lines_of(ranked: Ranked, *, is_best: bool) -> tuple[str, ...]:
    release = ranked.release
    mark = "→" if is_best else "✗" if ranked.verdict is Match.REJECT else "+" if ranked.confidence >= SURE else "?"
    facts = [
        f"{mark} {release.infohash}",
        count(release.seeders, "seeder"),
        size(release.size_bytes),
        sure(ranked.confidence) if ranked.verdict is Match.MATCH and ranked.confidence < 1 else "",
        "corrected" if ranked.is_corrected else "",
    ]
    lead = f"Before the next: {ranked.lead}." if is_best and ranked.lead else ""
    return "  ".join(fact for fact in facts if fact), release.title, "; ".join(ranked.reasons), lead
