"""What happened to a download, undoing it, and how the download is doing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.tui.evening import ESCAPE, Evening
from uuutorrent.accounts import User
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.tables import ObservationRow, TimelineRow, TorrentRow

BLOCKED = "Its release is not picked again for 14 days, because no byte came for 15 min."


async def block(evening: Evening, infohash: str) -> None:
    services, user = evening.services, evening.ann
    until, title = datetime.now(UTC) + timedelta(days=14), "[SubsPlease] Sousou no Frieren - 13"
    blocked = await services.releases.blocks.block(user.id, infohash, title=title, reason="no byte came", until=until)
    await services.timeline.note(user.id, infohash, "blocked", BLOCKED, media_id=1, episode=13, block_id=blocked)


async def ails(database: Database, infohash: str, verdict: str, cause: str, why: str) -> None:
    now = datetime.now(UTC)
    async with database.begin(SYSTEM) as tx:
        torrent = await tx.scalar(select(TorrentRow.id).where(TorrentRow.v1 == infohash))
        await tx.merge(
            ObservationRow(
                torrent_id=torrent, infohash=infohash, first_at=now, seen_at=now, completed_bytes=0, phase="stalled",
                verdict=verdict, cause=cause, why=why, since=now - timedelta(minutes=20),
            )
        )  # fmt: skip


@pytest.mark.parametrize(("width", "height"), [(120, 40), (80, 24), (40, 12)])
async def test_one_key_shows_what_happened_the_newest_first(evening: Evening, width: int, height: int) -> None:
    infohash = await evening.fetch(1, 13)
    await evening.services.timeline.note(evening.ann.id, infohash, "asked", "You asked for episode 13.")
    await evening.services.timeline.note(evening.ann.id, infohash, "rechecked", "Its files are checked again.")
    async with evening.sit(width=width, height=height) as seat:
        seat.type("2")
        await seat.sees("Sousou no Frieren - 13")

        def lines() -> list[str]:
            """What stands under the heads of the timeline."""
            head = next((n for n, line in enumerate(seat.glass.lines) if line.startswith("  When ")), -2)
            return seat.glass.lines[head + 1 :]

        seat.type("t")
        await seat.sees("timeline 3")
        await seat.until(lambda: "Its files" in lines()[0], "the newest line")
        assert lines()[0].startswith("› ")
        assert "You asked" in lines()[1]
        assert height < 24 or "Added." in lines()[2]


async def test_a_block_is_undone_within_a_day_after_a_question(evening: Evening) -> None:
    infohash = await evening.fetch(1, 13)
    await block(evening, infohash)
    async with evening.sit(width=80, height=24) as seat:
        seat.type("2")
        await seat.sees("Sousou no Frieren - 13")
        seat.type("t")
        await seat.sees("u undo")
        await seat.sees("14 days, because no byte came for 15\n")
        await seat.sees("u Undo")
        seat.type("u")
        await seat.sees("Undo this?")
        await seat.sees("It can be undone until")
        seat.type(ESCAPE)
        await seat.sees_no("Undo this?")
        assert await evening.services.releases.blocks.active(evening.ann)
        seat.type("u")
        await seat.sees("Undo this?")
        seat.type("u")
        await seat.sees("Its release may be picked again")
        await seat.sees("undone")
        await seat.sees_no("u undo")
    assert await evening.services.releases.blocks.active(evening.ann) == {}


async def test_after_a_day_nothing_is_offered_to_be_undone(evening: Evening, database: Database) -> None:
    infohash = await evening.fetch(1, 13)
    await block(evening, infohash)
    async with database.begin(SYSTEM) as tx:
        for row in await tx.scalars(select(TimelineRow)):
            row.at = datetime.now(UTC) - timedelta(hours=25)
    async with evening.sit(width=80, height=24) as seat:
        seat.type("2")
        await seat.sees("Sousou no Frieren - 13")
        seat.type("t")
        await seat.sees("blocked")
        await seat.settled()
        assert "ndo" not in seat.glass.text.replace("undone", "")


async def test_a_download_that_is_not_well_says_so_on_its_row_and_why(evening: Evening, database: Database) -> None:
    infohash = await evening.fetch(1, 13)
    await ails(database, infohash, "dead", "seedless", "nobody has had all of it for a day")
    async with evening.sit(width=100, height=30) as seat:
        seat.type("2")
        await seat.sees("! dead")
        seat.type("d")
        await seat.sees("dead: nobody has had all of it for a day")
        await seat.sees("since 20m ago")


async def test_what_happened_to_others_is_never_seen(evening: Evening, bob: User, database: Database) -> None:
    infohash = await evening.fetch(1, 13)
    await evening.services.timeline.note(bob.id, infohash, "asked", "This is bob's.", media_id=1, episode=13)
    async with evening.sit() as seat:
        seat.type("2")
        await seat.sees("Sousou no Frieren - 13")
        seat.type("t")
        await seat.sees("files")
        await seat.settled()
        assert "bob's" not in seat.glass.text


async def test_the_keys_are_in_the_help(evening: Evening) -> None:
    await evening.fetch(1, 13)
    async with evening.sit(width=110, height=60) as seat:
        seat.type("2")
        await seat.sees("Sousou no Frieren - 13")
        seat.type("?")
        await seat.sees("What happened to it, and undoing that.")
