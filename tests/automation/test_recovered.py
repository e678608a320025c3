"""A backup is put back over a world that went on: what the daemon says of the difference, once."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from tests.desks import Built, built
from tests.torrents import metainfos
from uuutorrent.accounts import Operator
from uuutorrent.backup.restoring import restore
from uuutorrent.backup.taking import Place, Taking
from uuutorrent.store import migrate
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally
from uuutorrent.torrents.engine import NewTorrent

SIZE = 1000


async def house(stack: AsyncExitStack, home: Path) -> Built:
    (home / "data").mkdir(exist_ok=True)
    database = await stack.enter_async_context(Database(f"sqlite+aiosqlite:///{home}/data/uuutorrent.db"))
    await migrate.upgrade(database)
    return await stack.enter_async_context(built(database, home))


async def test_admins_are_told_once_what_is_missing_and_what_nobody_claims(
    tmp_path: Path, furnished_file: Path
) -> None:
    async with AsyncExitStack() as stack:
        there = await house(stack, tmp_path)
        boss = await there.services.accounts.create(Operator(), "boss", role="admin")
        ann = await there.services.accounts.create(Operator(), "ann")
        gone = await there.services.library.add_given(ann, metainfos.single("Gone.mkv", SIZE))
        await there.services.live.refresh()
        await there.services.library.reconcile()
        place = Place.of(there.services.config, None)
        taking = Taking(place, Tally())
        backup = await taking.take()
        later = await there.services.library.add_given(ann, metainfos.single("Later.mkv", SIZE))
    await restore(place, taking, backup)
    async with AsyncExitStack() as stack:
        there = await house(stack, tmp_path)
        for name, tags in (("Later.mkv", ("uuutorrent",)), ("Theirs.mkv", ())):
            content = metainfos.single(name, SIZE)
            v1 = later.infohash if name == "Later.mkv" else "f" * 40
            await there.engine.add(NewTorrent(v1, "", name, content, None, str(tmp_path / "downloads"), "", tags))
        await there.services.recovered.look_once()
        await there.services.recovered.look_once()
        (notice,) = await there.services.inbox.of(boss)
        assert notice.text == (
            f"The backup {backup.name} was put back. Claimed, and not in qBittorrent: Gone.mkv; added again. "
            "In qBittorrent, and claimed by nobody: Later.mkv; see `orphans`."
        )
        assert await there.services.inbox.of(ann) == ()
        (noted,) = await there.services.audit.search(await there.services.accounts.admin(boss), "restore")
        assert (noted.who, noted.target, noted.detail) == ("operator", backup.name, notice.text)
        await there.services.live.refresh()
        for _ in range(2):  # once could be a mistake
            await there.services.library.reconcile()
        assert gone.infohash in {one.v1 for one in await there.engine.torrents()}
