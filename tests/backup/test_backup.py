"""Backups as the operator has them: taken, listed, put back, practised."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from tests.operating import Operating
from uuutorrent.accounts import Accounts
from uuutorrent.backup.backup import is_name, kept
from uuutorrent.backup.restoring import RESTORED, RESTORING, check_whole
from uuutorrent.backup.taking import Place, Taking
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.config import Backup, Config, Server
from uuutorrent.config import Database as DatabaseSettings
from uuutorrent.daemon import opened
from uuutorrent.errors import BadConfig, Conflict, Refused, Unexpected
from uuutorrent.factors import begin
from uuutorrent.store import migrate
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.private import hold
from uuutorrent.store.sealed import KeyRing
from uuutorrent.tally import Tally

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


@pytest.fixture
def uuutorrent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Operating:
    return Operating(tmp_path, monkeypatch, capsys)


def house(data: Path, url: str = "") -> Config:
    return Config(server=Server(data_dir=data), database=DatabaseSettings(url=url))


async def someone(uuutorrent: Operating, name: str) -> None:
    """A user with a second factor, so that there is a secret as well."""
    assert (await uuutorrent("user", "add", name, "--generate")).code == 0
    keyring = KeyRing.open(uuutorrent.home / "data/keyring")
    async with Database(uuutorrent.database_url) as database, database.begin(SYSTEM) as tx:
        user = await Accounts(database, AccountSettings()).by_name(name)
        await begin(tx, keyring, user.id, name)


async def names(uuutorrent: Operating) -> list[str]:
    return [user["name"] for user in await uuutorrent.users()]


async def listed(uuutorrent: Operating) -> list[str]:
    return [one["backup"] for one in json.loads((await uuutorrent("backups", "--json")).out)]


async def test_what_was_backed_up_comes_back_and_what_was_there_is_moved_aside(uuutorrent: Operating) -> None:
    await someone(uuutorrent, "ann")
    (uuutorrent.home / "data/ssh_host_ed25519_key").write_text("the host key")
    assert (await uuutorrent("backup")).code == 0
    await someone(uuutorrent, "ben")
    (uuutorrent.home / "data/ssh_host_ed25519_key").unlink()
    (uuutorrent.home / "data/keyring").unlink()
    done = await uuutorrent("restore", "--yes")
    assert done.code == 0, done
    assert "all that came after it is lost. Start the daemon." in done.out
    assert await names(uuutorrent) == ["ann"]
    assert (uuutorrent.home / "data/ssh_host_ed25519_key").read_text() == "the host key"
    assert ((uuutorrent.home / "data/keyring").stat().st_mode & 0o777) == 0o400
    (aside,) = (uuutorrent.home / "data").glob("before-restore-*")
    with closing(sqlite3.connect(aside / "uuutorrent.db")) as before:
        assert [name for (name,) in before.execute("SELECT name FROM users ORDER BY name")] == ["ann", "ben"]
    assert json.loads((uuutorrent.home / "data" / RESTORED).read_text())["backup"] in await listed(uuutorrent)


async def test_what_was_written_but_not_yet_merged_into_the_file_is_in_the_backup(uuutorrent: Operating) -> None:
    await someone(uuutorrent, "ann")
    with closing(sqlite3.connect(uuutorrent.home / "uuutorrent.db")) as open_elsewhere:
        open_elsewhere.execute("UPDATE users SET name = 'renamed'")
        open_elsewhere.commit()
        assert (uuutorrent.home / "uuutorrent.db-wal").stat().st_size
        assert (await uuutorrent("backup")).code == 0
    await uuutorrent("restore", "--yes")
    assert await names(uuutorrent) == ["renamed"]


async def test_nobody_restores_under_a_running_daemon(uuutorrent: Operating) -> None:
    await someone(uuutorrent, "ann")
    await uuutorrent("backup")
    await someone(uuutorrent, "ben")
    with hold(uuutorrent.home / "data"):
        done = await uuutorrent("restore", "--yes")
    assert (done.code, "stop it first" in done.err) == (3, True)
    assert await names(uuutorrent) == ["ann", "ben"]


async def test_a_restore_asks_first(uuutorrent: Operating) -> None:
    await someone(uuutorrent, "ann")
    await uuutorrent("backup")
    await someone(uuutorrent, "ben")
    (name,) = await listed(uuutorrent)
    assert (await uuutorrent("restore", given="yes\n")).code == 2
    assert await names(uuutorrent) == ["ann", "ben"]
    assert (await uuutorrent("restore", given=f"{name}\n")).code == 0
    assert await names(uuutorrent) == ["ann"]


async def test_a_time_chooses_the_newest_backup_before_it(uuutorrent: Operating) -> None:
    config = house(uuutorrent.home / "data", uuutorrent.database_url)
    for minutes, name in ((0, "ann"), (15, "ben"), (30, "eve")):
        await someone(uuutorrent, name)
        clock = [NOW + timedelta(minutes=minutes)]
        await Taking(Place.of(config, None), Tally(), now=clock.pop).take()
    assert (await uuutorrent("restore", "--to", "2026-11-21T18:20", "--yes")).code == 0
    assert await names(uuutorrent) == ["ann", "ben"]
    done = await uuutorrent("restore", "--to", "2026-11-21T17:59", "--yes")
    assert (done.code, "there is no backup of 2026-11-21T17:59" in done.err) == (4, True)
    assert (await uuutorrent("restore", "--to", "yesterday", "--yes")).code == 2
    assert (await uuutorrent("restore", "19990101T000000Z", "--yes")).code == 4


async def test_a_damaged_backup_is_not_put_back(uuutorrent: Operating) -> None:
    await someone(uuutorrent, "ann")
    await uuutorrent("backup")
    (name,) = await listed(uuutorrent)
    with (uuutorrent.home / "data/backups" / name / "database.sqlite").open("r+b") as file:
        file.seek(5000)
        file.write(b"damage")
    await someone(uuutorrent, "ben")
    done = await uuutorrent("restore", "--yes")
    assert (done.code, "damaged or gone" in done.err) == (2, True)
    assert await names(uuutorrent) == ["ann", "ben"]
    done = await uuutorrent("drill")
    assert (done.code, "damaged or gone" in done.err) == (76, True)


async def test_a_drill_opens_every_secret_and_tells_how_long_it_took(uuutorrent: Operating) -> None:
    await someone(uuutorrent, "ann")
    await someone(uuutorrent, "ben")
    await uuutorrent("backup")
    told = json.loads((await uuutorrent("drill", "--json")).out)
    assert told["secrets"] == 2
    assert told["rows"] > 2
    assert "2 secrets opened" in (await uuutorrent("drill")).out


async def test_a_drill_fails_when_the_key_ring_is_another(uuutorrent: Operating) -> None:
    await someone(uuutorrent, "ann")
    (uuutorrent.home / "data/keyring").unlink()
    KeyRing.open(uuutorrent.home / "data/keyring")
    await uuutorrent("backup")
    done = await uuutorrent("drill")
    assert (done.code, "the key it was sealed with is gone" in done.err) == (76, True)


async def test_a_backup_is_copied_to_the_second_place(uuutorrent: Operating, monkeypatch: pytest.MonkeyPatch) -> None:
    await someone(uuutorrent, "ann")
    monkeypatch.setenv("UUUTORRENT_BACKUP__SECOND", str(uuutorrent.home / "elsewhere"))
    assert (await uuutorrent("backup")).code == 0
    (name,) = await listed(uuutorrent)
    assert (uuutorrent.home / "elsewhere" / name / "manifest.json").is_file()
    monkeypatch.setenv("UUUTORRENT_BACKUP__SECOND", "nowhere:at-all")
    monkeypatch.setenv("UUUTORRENT_BACKUP__DIR", str(uuutorrent.home / "other"))
    done = await uuutorrent("backup")
    assert done.code == 76
    assert "rclone" in done.err
    assert len(await listed(uuutorrent)) == 1, "the first place has it all the same"
    monkeypatch.setenv("UUUTORRENT_BACKUP__SECOND", "elsewhere:kept")
    remotes = uuutorrent.home / "rclone.conf"
    remotes.write_text(f"[elsewhere]\ntype = alias\nremote = {uuutorrent.home}/far\n")
    monkeypatch.setenv("UUUTORRENT_BACKUP__RCLONE_CONFIG", str(remotes))
    monkeypatch.setenv("UUUTORRENT_BACKUP__DIR", str(uuutorrent.home / "third"))
    assert (await uuutorrent("backup")).code == 0
    assert len(list((uuutorrent.home / "far/kept").iterdir())) == 1


async def test_a_backup_is_nobody_elses_to_read(uuutorrent: Operating) -> None:
    await someone(uuutorrent, "ann")
    await uuutorrent("backup")
    for place in (uuutorrent.home / "data/backups").rglob("*"):
        assert place.stat().st_mode & 0o077 == 0, place


async def test_without_a_database_of_sqlites_the_files_are_taken(tmp_path: Path) -> None:
    config = house(tmp_path, "postgresql+asyncpg://u:p@127.0.0.1:9/u")
    (tmp_path / "keyring").write_text("keys")
    backup = await Taking(Place.of(config, None), Tally()).take()
    assert sorted(backup.files) == ["keyring"]


async def test_the_daemon_says_when_it_took_one(tmp_path: Path) -> None:
    config, tally = house(tmp_path), Tally()
    async with Database(config.database_url) as database:
        await migrate.upgrade(database)
    taking = Taking(Place.of(config, None), tally, now=lambda: NOW)
    await taking.take()
    assert tally.counters["backup_last_success_timestamp_seconds", ("files",)] == NOW.timestamp()
    with pytest.raises(Conflict):
        await taking.take()


async def test_a_database_that_cannot_be_read_makes_no_backup(tmp_path: Path) -> None:
    (tmp_path / "uuutorrent.db").write_bytes(os.urandom(8192))
    place = Place.of(house(tmp_path), None)
    with pytest.raises(Unexpected):
        await Taking(place, Tally()).take()
    assert Taking(place, Tally()).every() == ()


async def test_what_a_killed_backup_left_goes_once_nobody_can_work_on_it(tmp_path: Path) -> None:
    for name in (".20261121T163000Z", ".20261121T175000Z"):
        (tmp_path / "backups" / name).mkdir(parents=True)
    await Taking(
        Place.of(house(tmp_path, "postgresql+asyncpg://u:p@127.0.0.1:9/u"), None), Tally(), now=lambda: NOW
    ).take()
    assert sorted(one.name for one in (tmp_path / "backups").iterdir()) == [".20261121T175000Z", "20261121T180000Z"]


async def test_a_backup_of_a_newer_program_is_refused_before_anything_is_moved(uuutorrent: Operating) -> None:
    await someone(uuutorrent, "ann")
    with closing(sqlite3.connect(uuutorrent.home / "uuutorrent.db", isolation_level=None)) as database:
        (ours,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        await uuutorrent("backup")
        database.execute("UPDATE alembic_version SET version_num = ?", (ours,))
    done = await uuutorrent("restore", "--yes")
    assert (done.code, "upgrade this program" in done.err) == (3, True), done
    assert await names(uuutorrent) == ["ann"]
    assert not list((uuutorrent.home / "data").glob("before-restore-*"))


@contextmanager
def room_for(bytes_: int) -> Iterator[None]:
    """No file grows beyond that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_backup_that_the_disk_does_not_take_leaves_nothing_and_the_old_ones_stay(uuutorrent: Operating) -> None:
    await someone(uuutorrent, "ann")
    await uuutorrent("backup")
    there = await listed(uuutorrent)
    (uuutorrent.home / "data/ssh_host_ed25519_key").write_text("the host key" * 100)
    config = house(uuutorrent.home / "data", "postgresql+asyncpg://u:p@127.0.0.1:9/u")
    for place in (Place.of(config, None), Place.of(house(config.server.data, uuutorrent.database_url), None)):
        with room_for(400), pytest.raises(Unexpected):
            await Taking(place, Tally(), now=lambda: NOW).take()
    assert [one.name for one in (uuutorrent.home / "data/backups").iterdir()] == there


async def test_a_restore_that_the_disk_does_not_take_moves_nothing(uuutorrent: Operating) -> None:
    await someone(uuutorrent, "ann")
    await uuutorrent("backup")
    await someone(uuutorrent, "ben")
    with room_for(8192):
        done = await uuutorrent("restore", "--yes")
    assert (done.code, "is not put back" in done.err) == (76, True), done
    assert await names(uuutorrent) == ["ann", "ben"]
    assert not list(uuutorrent.home.glob(".*.restoring"))


async def test_after_a_restore_was_killed_in_the_middle_no_daemon_starts_until_it_is_done_again(
    uuutorrent: Operating,
) -> None:
    await someone(uuutorrent, "ann")
    await uuutorrent("backup")
    (uuutorrent.home / "data" / RESTORING).write_text("")
    (uuutorrent.home / "uuutorrent.db").unlink()
    with pytest.raises(Refused, match="run `uuutorrent restore` again"):
        async with opened(house(uuutorrent.home / "data", uuutorrent.database_url)):
            pass
    assert (await uuutorrent("restore", "--yes")).code == 0
    check_whole(uuutorrent.home / "data")
    assert await names(uuutorrent) == ["ann"]


async def test_a_database_that_root_puts_back_elsewhere_is_that_of_the_folders_account(uuutorrent: Operating) -> None:
    theirs = 65534 if os.geteuid() == 0 else os.geteuid()
    await someone(uuutorrent, "ann")
    await uuutorrent("backup")
    os.chown(uuutorrent.home, theirs, -1)
    assert (await uuutorrent("restore", "--yes")).code == 0
    assert (uuutorrent.home / "uuutorrent.db").stat().st_uid == theirs


async def test_while_the_second_place_is_away_old_backups_go_all_the_same(tmp_path: Path) -> None:
    place = replace(Place.of(house(tmp_path, "postgresql+asyncpg://u:p@127.0.0.1:9/u"), None), second="nowhere:at-all")
    tally = Tally()
    for n in range(10):
        clock = [NOW + timedelta(minutes=15 * n)]
        with pytest.raises(Unexpected):
            await Taking(place, tally, now=clock.pop).take()
    assert len(Taking(place, tally).every()) == 8
    assert tally.counters["backup_last_success_timestamp_seconds", ("files",)] > NOW.timestamp()


async def test_after_the_clock_went_back_the_one_just_taken_is_kept(tmp_path: Path) -> None:
    place = Place.of(house(tmp_path, "postgresql+asyncpg://u:p@127.0.0.1:9/u"), None)
    for weeks in range(10, 22):
        clock = [NOW + timedelta(weeks=weeks)]
        await Taking(place, Tally(), now=clock.pop).take()
    taken = await Taking(place, Tally(), now=lambda: NOW).take()
    assert taken in Taking(place, Tally()).every()


async def test_no_database_is_made_where_there_is_none_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(Unexpected):
        await Taking(Place.of(house(tmp_path), None), Tally()).take()
    assert not (tmp_path / "uuutorrent.db").exists()


async def test_a_program_that_is_too_old_for_the_database_takes_no_backup_each_time_it_starts(tmp_path: Path) -> None:
    config = house(tmp_path)
    async with Database(config.database_url) as database:
        await migrate.upgrade(database)
        async with database.begin(SYSTEM) as tx:
            await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(BadConfig, match="newer uuutorrent"):
        async with opened(config):
            pass
    assert Taking(Place.of(config, None), Tally()).every() == ()


async def test_before_a_migration_nobody_waits_for_the_second_place(tmp_path: Path) -> None:
    config = house(tmp_path).model_copy(update={"backup": Backup(second="nowhere:at-all")})
    async with Database(config.database_url) as database:
        await migrate.upgrade(database)
        await migrate.downgrade(database, "0006")
    async with opened(config):
        pass
    assert len(Taking(Place.of(config, None), Tally()).every()) == 1


async def test_a_drill_that_is_stopped_leaves_no_copy_behind(uuutorrent: Operating) -> None:
    await someone(uuutorrent, "ann")
    await uuutorrent("backup")
    (name,) = await listed(uuutorrent)
    os.truncate(uuutorrent.home / "data/backups" / name / "database.sqlite", 2**28)  # reading that takes a moment
    (scratch := uuutorrent.home / "scratch").mkdir()
    words = (sys.executable, "-m", "uuutorrent", "drill")
    process = await asyncio.create_subprocess_exec(*words, env={**os.environ, "TMPDIR": str(scratch)})
    async with asyncio.timeout(30):
        while not list(scratch.glob("uuutorrent-drill-*")):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        process.terminate()
        assert await process.wait() == 130
    assert not list(scratch.iterdir())


# What is kept


def test_quarters_days_and_weeks_are_kept_and_no_more() -> None:
    every_quarter = [NOW - timedelta(minutes=15 * n) for n in range(4 * 24 * 60)]
    left: set[datetime] = set()
    for at in reversed(every_quarter):
        left = kept(left | {at})
    ages = sorted((NOW - at).total_seconds() / 3600 for at in left)
    assert ages[:8] == [n / 4 for n in range(8)]
    assert 8 + 6 + 2 <= len(left) <= 8 + 7 + 4
    assert ages[-1] > 24 * 14


def test_a_daemon_that_starts_again_and_again_drops_nothing_from_before() -> None:
    before = {NOW - timedelta(minutes=15 * n) for n in range(1, 8)}
    left = set(before)
    for seconds in range(0, 600, 5):
        left = kept(left | {NOW + timedelta(seconds=seconds)})
    assert before <= left


@given(st.sets(st.integers(0, 10**8).map(lambda s: NOW + timedelta(seconds=s))))
def test_the_newest_is_always_kept_and_keeping_twice_changes_nothing(times: set[datetime]) -> None:
    keep = kept(times)
    assert keep <= times
    assert kept(keep) == keep
    assert not times or max(times) in keep


@pytest.mark.parametrize("name", ["lost+found", "20261121", "", "drill.json", "20261341T000000Z"])
def test_other_folders_are_no_backups(name: str) -> None:
    assert not is_name(name)
