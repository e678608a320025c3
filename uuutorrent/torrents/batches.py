"""What is fetched of a batch: the files of one episode, or everything. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from uuutorrent.errors import Missing
from uuutorrent.releases import contents
from uuutorrent.releases.release import SURE, Found, Kind, Match, Ranked, Wanted
from uuutorrent.torrents.holdings import Part, amount
from uuutorrent.torrents.metainfo import Magnet, Metainfo
from uuutorrent.torrents.sources import Source

MOST_TRIED = 3
"""So many batches are looked into before it is given up."""


@dataclass(frozen=True, slots=True)
class Share:
    """What is fetched of a batch."""

    part: Part | None
    files: tuple[str, ...]
    """By path; none where everything is fetched."""
    said: str
    """How much of it, in one sentence."""


def is_batch(chosen: Ranked) -> bool:
    """Whether a release holds more than one episode."""
    return chosen.is_batch or chosen.name.kind is Kind.BATCH


def choices(found: Found, infohash: str | None, *, whole_batch: bool) -> tuple[Ranked, ...]:
    """The releases to take, the best first: the second only where the first is a batch of which nothing can be told.

    Raises:
        Missing: there is none.
    """
    if infohash is not None:
        chosen = [one for one in found.candidates if one.release.infohash == infohash]
        if not chosen:
            raise Missing("The index does not list that release for this episode any more; search again.")
        return (chosen[0],)
    if whole_batch:
        return (_whole(found),)
    if found.best is None:
        raise Missing(found.said or "No release of this episode was found.")
    others = [one for one in found.candidates if one is not found.best and _is_sure(one)]
    return (found.best, *others[: MOST_TRIED - 1]) if is_batch(found.best) else (found.best,)


def share(source: Source, chosen: Ranked, wanted: Wanted, *, whole: bool) -> Share:
    """What is fetched of a batch for an episode, or all of it.

    Raises:
        Missing: it cannot be told for sure which of its files the episode is.
    """
    if isinstance(source, Magnet):
        if whole:
            return Share(None, (), "Fetching the whole batch; how large it is shows once its metadata is there.")
        raise Missing(
            f"Only a batch holds it: {chosen.release.title}. The index has just a magnet link of it, so no episode can "
            "be picked out before it is added. Fetch the whole batch, or choose another release."
        )
    sizes = tuple(file.size_bytes for file in source.files)
    episodes = contents.pick(
        [(file.path, file.size_bytes) for file in source.files], wanted, title=chosen.release.title
    )
    media_id = wanted.family.anime.media_id
    if whole:
        said = f"Fetching the whole batch: {_count(len(sizes))}, {amount(source.size_bytes)}."
        return Share(Part(media_id, episodes, sizes, whole=True), (), said)
    files = episodes.get(wanted.episode)
    if files is None:
        raise Missing(_untold(source, chosen, wanted, episodes))
    paths = tuple(source.files[index].path for index in files)
    some = amount(sum(sizes[index] for index in files))
    said = f"fetching {len(files)} of {_count(len(sizes))}, {some} of {amount(source.size_bytes)}."
    part = Part(media_id, {wanted.episode: files}, sizes, whole=len(files) == len(sizes))
    return Share(part, paths, said)


def _whole(found: Found) -> Ranked:
    """The batch to fetch as a whole."""
    if found.batch is not None:
        return found.batch
    for one in found.candidates:
        if is_batch(one) and (_is_sure(one) or (one.is_kept_back and one.confidence >= SURE)):
            return one
    raise Missing(f"No batch with episode {found.wanted.episode} was found that is certain enough; choose one by hand.")


def _is_sure(one: Ranked) -> bool:
    return one.verdict is Match.MATCH and one.confidence >= SURE


def _untold(source: Metainfo, chosen: Ranked, wanted: Wanted, episodes: dict[int, tuple[int, ...]]) -> str:
    """What the batch holds instead."""
    some = f"{_count(len(source.files))}: {'; '.join(_some(source))}"
    holds = f"episode {contents.told(episodes)}" if episodes else some
    return (
        f"Only a batch holds it: {chosen.release.title}. Which of its files episode {wanted.episode} is cannot be told "
        f"for sure; as far as can be told it has {holds}. Fetch the whole batch, or choose another release."
    )


def _some(source: Metainfo) -> Iterator[str]:
    names = [file.path.rpartition("/")[2] for file in sorted(source.files, key=lambda file: -file.size_bytes)]
    yield from names[:3]
    if len(names) > 3:
        yield "…"


def _count(files: int) -> str:
    return f"{files} {'file' if files == 1 else 'files'}"
