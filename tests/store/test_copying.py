"""A trial on SQLite grows up, and comes back: everything is there, and numbering goes on after it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.operating import Operating
from tests.servers.postgres import OWNER, Postgres
from uuutorrent.accounts import Accounts, Operator
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.errors import Refused
from uuutorrent.store import copying, migrate
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.tables import Base

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGkKSpPkvfYvbVQCHDnLzMdVeC1Dk3mX0PvqRLEMhDXG ann@laptop"


@pytest.fixture
async def trial(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/trial.db") as database:
        await migrate.upgrade(database)
        yield database


async def furnish(database: Database) -> None:
    accounts = Accounts(database, AccountSettings(), rounds=4)
    for name in ("ann", "ben", "eve"):
        await accounts.create(Operator(), name, keys=[KEY] if name == "ann" else [])
    await accounts.delete(Operator(), "ben")
    torrents = Base.metadata.tables["torrents"]
    async with database.begin(SYSTEM) as tx:
        await tx.execute(
            torrents.insert(),
            [
                {
                    "v1": "a" * 40, "name": "ひとつ", "metainfo": b"\x00\xff", "folder": "a" * 40, "stopped": True,
                    "held_back": False, "waits_turn": False, "keep_files": False,
                    "finished": [{"path": "x", "size": 2**40}],
                    "added_at": datetime(2026, 11, 21, 18, 0, 0, 123456, tzinfo=UTC),
                }
            ],
        )  # fmt: skip


async def held(database: Database) -> dict[str, list[tuple[object, ...]]]:
    async with database.begin(SYSTEM) as tx:
        return {
            table.name: sorted((tuple(row) for row in await tx.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


async def test_everything_is_copied_and_numbering_goes_on(trial: Database, database_url: str, tmp_path: Path) -> None:
    await furnish(trial)
    async with Database(database_url) as grown:
        assert await copying.copy(trial, grown) >= 4
        assert await held(grown) == await held(trial)
        eve = await Accounts(grown, AccountSettings(), rounds=4).by_name("eve")
        kim = await Accounts(grown, AccountSettings(), rounds=4).create(Operator(), "kim")
        assert kim.id > eve.id
        async with Database(f"sqlite+aiosqlite:///{tmp_path}/back.db") as back:
            await copying.copy(grown, back)
            assert await held(back) == await held(grown)


async def test_tables_larger_than_a_page_are_copied_whole(trial: Database, database_url: str, tmp_path: Path) -> None:
    at, tables = datetime(2026, 11, 21, 18, 0, tzinfo=UTC), Base.metadata.tables
    numbers = range(2 * copying.AT_ONCE + 1)
    note = {"at": at, "who": "ann", "source": "", "act": "look", "target": "", "outcome": "ok", "detail": ""}
    habit = {"offset": 0, "title": "Show", "learnt_at": at}
    names = ("Ä", "a", "B", "_", "ひ")
    async with trial.begin(SYSTEM) as tx:
        await tx.execute(tables["audit"].insert(), [note] * len(numbers))
        pairs = [habit | {"media_id": one // 400, "group": f"{names[one % 5]}{one}"} for one in numbers]
        await tx.execute(tables["habits"].insert(), pairs)
    async with Database(database_url) as grown, Database(f"sqlite+aiosqlite:///{tmp_path}/back.db") as back:
        assert await copying.copy(trial, grown) == await copying.copy(grown, back) == 2 * len(numbers)
        assert await held(back) == await held(trial)


async def test_what_is_there_already_is_not_mixed_with_it(trial: Database, tmp_path: Path) -> None:
    await furnish(trial)
    async with Database(f"sqlite+aiosqlite:///{tmp_path}/other.db") as other:
        await migrate.upgrade(other)
        await Accounts(other, AccountSettings(), rounds=4).create(Operator(), "somebody")
        before = await held(other)
        with pytest.raises(Refused):
            await copying.copy(trial, other)
        assert await held(other) == before


async def test_the_operator_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uuutorrent = Operating(tmp_path, monkeypatch, capsys)
    await uuutorrent("user", "add", "ann", "--generate")
    other = f"sqlite+aiosqlite:///{tmp_path}/other.db"
    done = await uuutorrent("db", "copy", "-", given=f"{other}\n")
    assert (done.code, "Set database.url to the other database" in done.out) == (0, True), done
    monkeypatch.setenv("UUUTORRENT_DATABASE__URL", other)
    assert [user["name"] for user in await uuutorrent.users()] == ["ann"]


@pytest.mark.real
async def test_what_a_superuser_made_is_copied_to_a_plain_roles_database(postgres_cluster: Postgres) -> None:
    url, new = postgres_cluster.fresh(), postgres_cluster.fresh()
    async with Database(url.replace(f"{OWNER}@", "postgres@")) as own, Database(new) as plain:
        await migrate.upgrade(own)
        await furnish(own)
        await copying.copy(own, plain)
        assert await held(plain) == await held(own)
