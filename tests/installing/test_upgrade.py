"""A newer program on the database of an older one, and the way back."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.operating import Operating
from uuutorrent.config import Config, Server
from uuutorrent.config import Database as DatabaseSettings
from uuutorrent.config import QBittorrent as EngineSettings
from uuutorrent.daemon import opened
from uuutorrent.store import migrate
from uuutorrent.store.database import NOBODY, Database

OLD = "0005"
ANN = (
    "INSERT INTO users (name, role, password_expired, quota_bytes, quota_torrents, created_at) "
    "VALUES ('ann', 'admin', false, 7, NULL, '2026-01-01 00:00:00')"
)


@pytest.fixture
async def uuutorrent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Operating:
    """An installation as an older program left it, with somebody in it."""
    operating = Operating(tmp_path, monkeypatch, capsys)
    async with Database(operating.database_url) as database:
        await migrate.upgrade(database)
        await migrate.downgrade(database, OLD)
        async with database.begin(NOBODY) as tx:
            await tx.execute(text(ANN))
    return operating


def revision(uuutorrent: Operating) -> str:
    with closing(sqlite3.connect(uuutorrent.home / "uuutorrent.db")) as database:
        return str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def people(uuutorrent: Operating) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(uuutorrent.home / "uuutorrent.db")) as database:
        return list(database.execute("SELECT name, role FROM users"))


async def goes_back(uuutorrent: Operating) -> None:
    """With the newest backup, to what the older program knows."""
    assert revision(uuutorrent) != OLD
    assert people(uuutorrent) == [("ann", "admin")]
    done = await uuutorrent("restore", "--yes")
    assert done.code == 0, done.err
    assert (revision(uuutorrent), people(uuutorrent)) == (OLD, [("ann", "admin")])


async def test_the_newer_daemon_keeps_everybody_and_leaves_a_way_back(uuutorrent: Operating) -> None:
    config = Config(
        server=Server(data_dir=uuutorrent.home / "data"),
        database=DatabaseSettings(url=uuutorrent.database_url),
        qbittorrent=EngineSettings(url="http://127.0.0.1:9"),
    )
    async with opened(config) as house:
        assert await migrate.at_head(house.database)
    await goes_back(uuutorrent)


@pytest.mark.parametrize("words", [("db", "upgrade"), ("user", "list")], ids=" ".join)
async def test_a_newer_command_leaves_a_way_back_as_well(uuutorrent: Operating, words: tuple[str, ...]) -> None:
    assert (await uuutorrent(*words)).code == 0
    await goes_back(uuutorrent)


async def test_what_is_up_to_date_is_not_backed_up_by_every_command(uuutorrent: Operating) -> None:
    for _ in range(3):
        await uuutorrent("user", "list")
    assert len((await uuutorrent("backups")).out.splitlines()) == 2
