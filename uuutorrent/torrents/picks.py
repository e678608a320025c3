"""Which episodes people want out of the batches they claim, and their files: the table `picks`.

Every verb works inside the caller's transaction, which has locked the torrent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Select, select

from uuutorrent.store.database import Tx
from uuutorrent.store.tables import PickRow
from uuutorrent.torrents.holdings import BY_HAND, Part, Pick

Owner = tuple[int, int]
"""Whose claim it is: user and torrent."""


async def of(tx: Tx, user_ids: Collection[int], torrent_ids: Sequence[int]) -> Mapping[Owner, tuple[Pick, ...]]:
    """Every pick of these users out of these torrents, by claim, the first episode first."""
    found = defaultdict[Owner, list[Pick]](list)
    rows = await tx.scalars(
        select(PickRow)
        .where(PickRow.user_id.in_(user_ids), PickRow.torrent_id.in_(torrent_ids))
        .order_by(PickRow.media_id, PickRow.episode)
    )
    for row in rows:
        found[row.user_id, row.torrent_id].append(Pick(row.media_id, row.episode, tuple(row.files)))
    return {owner: tuple(picks) for owner, picks in found.items()}


async def files_of(tx: Tx, owner: Owner) -> frozenset[int]:
    """Every file that was picked for a claim."""
    return frozenset(file for pick in await _of_one(tx, owner) for file in pick.files)


async def add(tx: Tx, owner: Owner, part: Part) -> None:
    """Add what a part names; an episode that was picked before has these files too."""
    before = {(pick.media_id, pick.episode): pick.files for pick in await _of_one(tx, owner)}
    for episode, files in part.episodes.items():
        had = before.get((part.media_id, episode), ())
        await _put(tx, owner, Pick(part.media_id, episode, tuple({*had, *files})))
    await tx.flush()


async def steer(tx: Tx, owner: Owner, files: Collection[int], *, wanted: bool) -> frozenset[int]:
    """Add files that were chosen by hand, or take files out of every pick; answers with all that are left.

    A pick without files is none.
    """
    before = await files_of(tx, owner)
    for pick in await _of_one(tx, owner):
        if not wanted and not before.isdisjoint(files):
            await _put(tx, owner, replace(pick, files=tuple(file for file in pick.files if file not in files)))
    if wanted and (more := set(files) - before):
        by_hand = [file for pick in await _of_one(tx, owner) if pick.media_id == BY_HAND for file in pick.files]
        await _put(tx, owner, Pick(BY_HAND, BY_HAND, (*by_hand, *more)))
    await tx.flush()
    return await files_of(tx, owner)


async def _of_one(tx: Tx, owner: Owner) -> tuple[Pick, ...]:
    return (await of(tx, [owner[0]], [owner[1]])).get(owner, ())


async def _put(tx: Tx, owner: Owner, pick: Pick) -> None:
    user_id, torrent_id = owner
    row = await tx.get(PickRow, (user_id, torrent_id, pick.media_id, pick.episode))
    if row is not None:
        await tx.delete(row)
        await tx.flush()
    if pick.files:
        files = sorted(pick.files)
        tx.add(
            PickRow(user_id=user_id, torrent_id=torrent_id, media_id=pick.media_id, episode=pick.episode, files=files)
        )


def torrents_for(user_id: int, media_id: int, episode: int) -> Select[int]:
    """The torrents out of which this user picked an episode."""
    return select(PickRow.torrent_id).where(
        PickRow.user_id == user_id, PickRow.media_id == media_id, PickRow.episode == episode
    )
