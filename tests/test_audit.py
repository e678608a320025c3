"""The audit: what is in it stays as it was for 400 days, whoever asks; and a flood of notes is counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.operating import Operating
from tests.people import a_key, refusal
from tests.servers.postgres import OWNER, Postgres
from uuutorrent import audit
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.audit import Audit, Note, note
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.errors import Invalid, Refused, Unreachable
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.migrate import upgrade
from uuutorrent.store.tables import Base

INSERT = "INSERT INTO audit (at, who, source, act, target, outcome, detail) VALUES (:at, '', '', :act, '', 'ok', '')"
RIGHTS = """
SELECT grantee::regrole::text, privilege_type FROM pg_class, aclexplode(relacl)
WHERE relname = 'audit' AND privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
"""
CHANGES = (
    "UPDATE audit SET who = 'somebody else'",
    "UPDATE audit SET at = '2000-01-01 00:00:00+00:00'",
    "DELETE FROM audit",
)


class Minutes:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def noted(database: Database, *acts: str, days_ago: float = 0) -> None:
    at = datetime.now(UTC) - timedelta(days=days_ago)
    async with database.begin(SYSTEM) as tx:
        for act in acts:
            await tx.execute(text(INSERT), {"at": at, "act": act})


def acts(notes: Sequence[Note]) -> list[str]:
    return [one.act for one in notes]


async def test_what_was_noted_is_neither_changed_nor_deleted(database: Database, accounts: Accounts, ann: User) -> None:
    await accounts.audit.tell(ann, "delete", "Show 01")
    async with database.begin(SYSTEM) as tx:
        before = (await tx.execute(text("SELECT * FROM audit"))).all()
    assert len(before) == 2
    for whose in (ann.id, SYSTEM):
        for change in CHANGES if database.is_sqlite else (*CHANGES, "TRUNCATE audit"):
            with pytest.raises(DBAPIError, match=r"audit is append-only|permission denied for table audit"):
                async with database.begin(whose) as tx:
                    await tx.execute(text(change))
    async with database.begin(SYSTEM) as tx:
        assert (await tx.execute(text("SELECT * FROM audit"))).all() == before


async def test_what_is_older_than_400_days_goes_and_nothing_else(database: Database, boss: Admin) -> None:
    await noted(database, "of old", days_ago=401.5)
    await noted(database, "not yet", days_ago=399)
    the = Audit(database)
    await the.drop_once()
    assert acts(await the.search(boss)) == ["not yet", "users add"]
    with pytest.raises(DBAPIError, match="audit is append-only"):
        async with database.begin(SYSTEM) as tx:
            await tx.execute(text("DELETE FROM audit WHERE act = 'not yet'"))


async def test_a_database_that_was_migrated_is_protected_in_the_same_words(database_url: str) -> None:
    async with Database(database_url) as opened:
        await upgrade(opened)
        migrated = await guards(opened)
        async with opened.engine.begin() as connection:
            await connection.execute(text("DROP TABLE audit"))
            if not opened.is_sqlite:
                await connection.execute(text("DROP FUNCTION audit_stays()"))
            await connection.run_sync(Base.metadata.tables["audit"].create)
        assert await guards(opened) == migrated
    assert len(migrated) >= 2


async def guards(opened: Database) -> list[str]:
    """The definitions of the triggers, without how they are laid out."""
    found = (
        "SELECT sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        if opened.is_sqlite
        else "SELECT pg_get_triggerdef(oid) || pg_get_functiondef(tgfoid) FROM pg_trigger "
        "WHERE tgrelid = 'audit'::regclass ORDER BY tgname"
    )
    async with opened.begin(SYSTEM) as tx:
        return [" ".join(one.split()) for one in await tx.scalars(text(found))]


@pytest.mark.real
async def test_on_postgresql_the_daemons_role_has_no_right_to_change_it_and_the_system_only_to_drop_what_is_old(
    postgres_cluster: Postgres,
) -> None:
    async with Database(postgres_cluster.fresh()) as opened:
        await upgrade(opened)
        migrated = await rights(opened)
        async with opened.engine.begin() as connection:
            for thing in ("TABLE audit", "FUNCTION audit_stays()"):
                await connection.execute(text(f"DROP {thing}"))
            await connection.run_sync(Base.metadata.tables["audit"].create)
        assert await rights(opened) == migrated
    daemon = {(OWNER, right) for right in ("SELECT", "INSERT")}
    assert migrated == daemon | {("uuutorrent_system", right) for right in ("SELECT", "INSERT", "DELETE")}


async def rights(opened: Database) -> set[tuple[str, str]]:
    """Who may do what with the rows."""
    async with opened.connect() as connection:
        found = await connection.execute(text(RIGHTS))
        return {(role, right) for role, right in found}


async def test_an_act_that_is_rolled_back_was_not_noted(database: Database, accounts: Accounts, boss: Admin) -> None:
    async def fail() -> None:
        async with database.begin(SYSTEM) as tx:
            note(tx, boss, "users role", "ann")
            raise Refused("after all")

    with pytest.raises(Refused, match="after all"):
        await fail()
    assert "last admin" in await refusal(accounts.delete(Operator(), "boss"))
    assert acts(await accounts.audit.search(boss)) == ["users add"]


async def test_what_the_operator_does_at_the_machine_is_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uuutorrent = Operating(tmp_path, monkeypatch, capsys)
    for words, given in (
        (("user", "add", "boss", "--admin"), ""),
        (("user", "add", "ann"), ""),
        (("user", "key", "add", "ann"), a_key()),
        (("user", "key", "remove", "ann", "1"), ""),
        (("user", "passwd", "ann", "--generate"), ""),
        (("user", "role", "ann", "admin"), ""),
        (("user", "disable", "ann"), ""),
        (("user", "enable", "ann"), ""),
        (("user", "delete", "ann"), ""),
        (("invite",), ""),
    ):
        assert (await uuutorrent(*words, given=given)).code == 0, words
    async with Database(uuutorrent.database_url) as opened:
        accounts = Accounts(opened, AccountSettings())
        found = await accounts.audit.search(await accounts.admin(await accounts.by_name("boss")))
    assert {(one.who, one.source, one.outcome) for one in found} == {("operator", "", "ok")}
    assert [f"{one.act} {one.target}" for one in reversed(found)] == [
        "users add boss", "users add ann", "keys add ann", "keys remove ann", "users passwd ann", "users role ann",
        "users disable ann", "users enable ann", "users delete ann", "invites create 1",
    ]  # fmt: skip


async def test_it_outlives_whoever_it_names(database: Database, accounts: Accounts, boss: Admin, ann: User) -> None:
    await accounts.set_password(ann, "plain horses battery staple", "another good horse battery")
    await accounts.delete(boss, "ann")
    found = await accounts.audit.search(boss, user="ann")
    assert [(one.who, one.act, one.target) for one in found] == [
        ("boss", "users delete", "ann"), ("ann", "password", "ann"), ("operator", "users add", "ann"),
    ]  # fmt: skip


async def test_it_is_searched_by_text_person_and_time_a_page_at_a_time(database: Database, boss: Admin) -> None:
    the = Audit(database)
    await noted(database, "long ago", days_ago=3)
    for number in range(5):
        await the.tell(boss, "delete", f"Show 0{number} 100%", detail="with files")
    assert [one.target for one in await the.search(boss, "SHOW", limit=2)] == ["Show 04 100%", "Show 03 100%"]
    first = await the.search(boss, "100%", limit=3)
    assert [one.target[:7] for one in await the.search(boss, "100%", before=first[-1].id)] == ["Show 01", "Show 00"]
    assert await the.search(boss, "sh_w") == ()
    assert acts(await the.search(boss, since=datetime.now(UTC) - timedelta(days=1), limit=1)) == ["delete"]
    assert "long ago" not in acts(await the.search(boss, since=datetime.now(UTC) - timedelta(days=1)))
    with pytest.raises(Invalid, match="between 1 and 1000"):
        await the.search(boss, limit=1001)


async def test_who_is_no_admin_any_more_sees_nothing(accounts: Accounts, boss: Admin, ann: User) -> None:
    await accounts.set_role(Operator(), "ann", "admin")
    was_admin = await accounts.admin(ann)
    await accounts.set_role(Operator(), "ann", "user")
    with pytest.raises(Refused, match="only admins"):
        await accounts.audit.search(was_admin)


async def test_a_flood_is_counted_and_people_have_each_their_own_measure(database: Database, boss: Admin) -> None:
    minutes = Minutes()
    the = Audit(database, clock=minutes)
    for number in range(500):
        the.later(None, "sign-in", "ann", outcome=audit.FAILED, source=f"192.0.2.{number % 250}")
    the.later(boss, "sign-in", "boss")
    await the.write_once()
    assert len(await the.search(boss, "failed")) == audit.MOST_A_MINUTE
    assert len(await the.search(boss, "sign-in", user="boss")) == 1
    minutes.now += audit.MINUTE_S
    await the.write_once()
    (counted,) = await the.search(boss, "more within")
    assert (counted.act, counted.outcome, counted.who, counted.target) == ("sign-in", "failed", "", "")
    assert counted.detail == f"{500 - audit.MOST_A_MINUTE} more within a minute"
    the.later(None, "sign-in", "ann", outcome=audit.FAILED)
    await the.write_once()
    assert len(await the.search(boss, "failed")) == audit.MOST_A_MINUTE + 2


async def test_what_waits_for_a_database_that_is_away_is_bounded_and_written_later(
    database: Database, boss: Admin
) -> None:
    minutes = Minutes()
    the = Audit(database, clock=minutes)
    for minute in range(audit.MOST_WAITING):
        minutes.now = minute * audit.MINUTE_S
        the.later(None, "sign-in", str(minute), outcome=audit.FAILED)
    the.later(None, "sign-in", "too late", outcome=audit.FAILED)
    database._closing = True
    with pytest.raises(Unreachable):
        await the.write_once()
    database._closing = False
    await the.write_once()
    assert (await the.search(boss, limit=1))[0].target == str(audit.MOST_WAITING - 1)


async def test_nothing_in_it_drives_a_terminal_or_is_longer_than_it_may(database: Database, boss: Admin) -> None:
    the = Audit(database)
    await the.tell(boss, "delete", "a\x1b[2Jb\u202ec\nd\0" + "x" * 1000)
    (one,) = await the.search(boss, "delete")
    assert one.target.startswith("a?[2Jb?c?d?xxx")
    assert one.target.isprintable()
    assert len(one.target) == audit.LONGEST_TEXT
